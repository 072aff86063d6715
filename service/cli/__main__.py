"""`python -m pentimento.service.cli` is `pentimento`, where the program itself is not on the path."""

from pentimento.service.cli.main import main

if __name__ == "__main__":
    main()

"""Prints what pyproject.toml says is needed, for the extras that are named: `requirements.py cpu train`.

For a layer of an image that only changes when these do.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras = [line for extra in sys.argv[1:] for line in project["optional-dependencies"][extra]]
print(*project["dependencies"], *extras, sep="\n")

"""Picture files to numbers, the same for server and trainer."""

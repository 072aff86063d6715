"""The server measured against the machine's limit and the plain way; benchmarks/README.md explains."""

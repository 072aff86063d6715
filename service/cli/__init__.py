"""The program `pentimento`: its commands, and the backends that do their work here or on a server."""

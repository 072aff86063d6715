"""The program `pentimento`: its commands, and what they need of this process or of a server."""

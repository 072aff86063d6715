"""The processes of a server: one alone, or a parent that starts and watches workers."""

"""How the client speaks HTTP."""

"""The HTTP transport: parses a request, has an operation do it, encodes what comes back."""

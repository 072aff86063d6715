"""The gRPC transport: parses a call, has an operation do it, encodes what comes back."""

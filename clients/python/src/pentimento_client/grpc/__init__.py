"""How the client speaks gRPC."""

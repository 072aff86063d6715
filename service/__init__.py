"""The server: loads bundles with ONNX Runtime and streams drawings over HTTP and gRPC. Never torch."""

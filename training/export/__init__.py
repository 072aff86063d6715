"""Exports networks as bundles (ONNX graphs, parity, manifest), and draws with bundles without a server."""

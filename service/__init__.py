"""The server: loads bundles with ONNX Runtime and streams drawings over HTTP and gRPC. Never torch."""

import os

# The official builds of ONNX Runtime (1.29 and later) send usage reports, with hashes of the graphs, to their
# maker. A server of other people's models does not, unless its operator has set the variable otherwise. It is
# read when ONNX Runtime is imported, so it is set before any module of this package could do that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

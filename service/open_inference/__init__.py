"""The Open Inference Protocol in terms of the operations, for both transports."""

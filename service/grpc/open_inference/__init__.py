"""The Open Inference Protocol over gRPC, for clients that speak it: translation, and nothing else."""

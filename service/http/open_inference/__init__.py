"""The Open Inference Protocol over HTTP, for clients that speak it: translation, and nothing else."""

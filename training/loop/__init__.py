"""The training loop, the same for every family, and its bookkeeping."""

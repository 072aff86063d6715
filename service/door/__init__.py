"""Access control for both transports: API keys, request rates, open streams, TLS certificates."""

"""Who comes in: API keys, rates, streams, certificates; the same for both transports."""

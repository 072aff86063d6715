"""From networks to a bundle: graphs, parity, the manifest; and a bundle read without a server."""

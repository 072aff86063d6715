"""Models with a Gaussian latent and a bound on the likelihood."""

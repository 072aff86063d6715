"""Training by maximum likelihood: pixel models and models with a latent."""

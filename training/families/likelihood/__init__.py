"""The likelihood family: training of pixel models and of models with a latent by maximum likelihood."""

"""GANs that draw in one step: generators, and the discriminators or critics that score their images."""

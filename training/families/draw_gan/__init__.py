"""The draw_gan family: a DRAW that is taught by a discriminator and its features."""

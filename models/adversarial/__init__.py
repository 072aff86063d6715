"""Generators that draw in one step, and what judges them: GANs."""

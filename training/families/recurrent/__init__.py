"""Adversarial training of generators that draw in several steps."""

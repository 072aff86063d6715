"""Adversarial training of generators that draw in one step."""

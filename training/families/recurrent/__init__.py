"""The recurrent family: adversarial training of generators that draw in several steps."""

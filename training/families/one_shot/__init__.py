"""The one-shot family: adversarial training of generators that draw in one step."""

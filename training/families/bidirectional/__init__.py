"""The bidirectional family: adversarial training of models that draw and encode, judged by pairs."""

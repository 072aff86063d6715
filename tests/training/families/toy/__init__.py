"""A family of the tests: the mean training image, drawn in noise that fades from step to step."""

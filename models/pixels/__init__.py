"""Models that draw pixel after pixel, with an exact likelihood."""

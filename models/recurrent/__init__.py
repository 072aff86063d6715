"""Models that draw by repeating a step."""

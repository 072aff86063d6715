"""Models that draw by repeating a step on a canvas."""

"""Measures how good drawings are: a classifier of the data, figures, plots, signs of a failing training."""

"""How good drawings are: classifier, figures, plots, signs of failure."""

"""Layers, densities and ways to draw that models of several kinds share."""

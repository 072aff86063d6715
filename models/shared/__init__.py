"""Layers and densities that models of several kinds share."""

"""Experiments that compare many trainings with each other."""

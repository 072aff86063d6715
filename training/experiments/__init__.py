"""Whole studies, each over many trainings."""

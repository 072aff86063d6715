"""Kinds of training, a folder each; the table lists them, and nothing else names one."""

"""Bundles made from models of other libraries."""

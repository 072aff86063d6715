"""Data sets: finding, fetching, reading, and making pixels black or white."""

"""One report a bundle: every figure with what real test images score, kept, as JSON and as a page."""

"""The papers, one file each. Nothing here knows bundles, data sets or training."""

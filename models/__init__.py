"""Image generators as torch modules, one paper a file. Nothing here knows bundles, data sets or training."""

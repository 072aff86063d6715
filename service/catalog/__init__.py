"""What is served: the bundle folder, loaded models, the plans that are made of them, reload."""

"""Commands of the program `pentimento` that need torch: recipes, data, train, export, experiments."""

"""Training of enhancers: recipes, phases, checkpoints, validation, several ranks."""

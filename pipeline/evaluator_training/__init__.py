"""`pipeline train-evaluator`: recipes, sessions and the loop of an evaluator's training."""

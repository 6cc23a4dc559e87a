"""What the points of a sweep say: fronts, answers, effects, budgets, failures."""

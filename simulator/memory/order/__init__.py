"""In which order should the ops run? The problem, its solvers, and what a runtime's own plan makes of it."""

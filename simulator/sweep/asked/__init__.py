"""What a sweep is asked: the scenario file, its axes, the grid of variants and targets."""

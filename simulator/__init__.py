"""Graph x target -> estimate."""

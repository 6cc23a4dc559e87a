"""What a target can do, as data. Knows no model."""

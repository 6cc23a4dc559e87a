"""What the model is. Knows no device."""

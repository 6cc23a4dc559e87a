"""How measured rows become coefficients with held-out residuals."""

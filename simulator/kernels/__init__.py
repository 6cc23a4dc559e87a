"""Cycles per kernel family, one file per kernel library; the coefficients are data."""

"""Coefficients and code-size groups, as data. Made by scripts/ from published measurements."""

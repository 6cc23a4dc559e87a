"""Passes: a graph in, a graph out, and what changed."""

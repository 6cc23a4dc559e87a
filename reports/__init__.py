"""Estimate -> something to read. Computes nothing."""

"""Our figures held against measured ones, a table per claim."""

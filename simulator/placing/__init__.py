"""Which memory should hold what: the placements there are, priced and ranked."""

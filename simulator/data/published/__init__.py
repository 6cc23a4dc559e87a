"""What did others publish of their variants? Quoted with the source, never predicted; one CSV per set."""

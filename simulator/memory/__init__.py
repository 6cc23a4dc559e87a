"""The arena: lifetimes, planners, scratch, persistent data, judge."""

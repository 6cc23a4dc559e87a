"""Many variants on many targets: the scenario, its grid, the engine that prices it, the store, what it says."""

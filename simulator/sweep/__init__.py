"""Many variants on many targets: scenario, grid, the engine that prices it, the store, what it says."""

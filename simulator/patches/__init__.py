"""The first stages of a network, run patch by patch: what it saves in RAM and costs in work."""

"""The planners: one file each, all from requests to offsets."""

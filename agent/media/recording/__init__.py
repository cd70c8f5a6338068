"""The meeting as this room had it, written to a file that survives power cuts."""

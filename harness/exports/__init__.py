"""A run as others may have it: written without private matter, and read back."""

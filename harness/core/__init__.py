"""The words of the instrument as frozen types, one a file."""

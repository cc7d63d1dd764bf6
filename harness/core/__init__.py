"""The core types as frozen dataclasses, one per file."""

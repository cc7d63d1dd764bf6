"""Readers of data sets as they lie on disk, one family a file."""

from harness.sources.registry import OF_ANY, SOURCES, describe_sources, open_source, options_of

__all__ = ["OF_ANY", "SOURCES", "describe_sources", "open_source", "options_of"]

"""Readers of data sets, one family per file."""

from harness.sources.registry import OF_ANY, SOURCES, describe_sources, open_source, options_of

__all__ = ["OF_ANY", "SOURCES", "describe_sources", "open_source", "options_of"]

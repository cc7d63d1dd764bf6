"""Readers of data sets as they lie on disk, one family a file."""

from harness.sources.registry import SOURCES, describe_sources, open_source

__all__ = ["SOURCES", "describe_sources", "open_source"]

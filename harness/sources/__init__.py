"""Readers of data sets as they lie on disk, one family a file."""

from harness.sources.registry import SOURCES, open_source

__all__ = ["SOURCES", "open_source"]

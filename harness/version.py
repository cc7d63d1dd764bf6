"""The version, importable without loading anything else. Between releases it ends in `.dev0`."""

__version__ = "0.3.0.dev0"

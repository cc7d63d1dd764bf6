"""The version, in a file of its own: asking for it loads nothing else. Between releases it ends in `.dev0`."""

__version__ = "0.3.0.dev0"

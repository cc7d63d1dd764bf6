"""The version, in a file of its own: asking for it loads nothing else."""

__version__ = "0.2.0"

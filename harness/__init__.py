"""affect-harness: how well, and on what grounds, a vision-language model reads a human face."""

from harness.version import __version__

__all__ = ["__version__"]

"""affect-harness: how well, and on what grounds, a vision-language model reads a human face."""

__version__ = "0.2.0"

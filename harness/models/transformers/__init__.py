"""Models run on this machine by transformers."""

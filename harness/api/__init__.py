"""The public Python interface: evaluate models, open runs, read their numbers. The commands call the same functions."""

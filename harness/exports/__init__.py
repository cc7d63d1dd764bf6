"""Exports: write a run without private data, and read it back."""

"""Analyses beyond the scores of fields, one per file: their rows and blocks."""

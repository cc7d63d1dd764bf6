"""Reading answers: label vocabularies and parsers that never guess."""

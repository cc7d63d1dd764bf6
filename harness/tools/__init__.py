"""Tools that a model may use before it answers: one a file, found by name."""

"""How much of a face a similarity endpoint gives away: faces rebuilt from its scores, and what keeps that from working."""

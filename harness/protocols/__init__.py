"""Protocols: how a sample becomes an answer."""

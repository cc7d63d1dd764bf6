"""Measure the client's own cost against a local test server."""

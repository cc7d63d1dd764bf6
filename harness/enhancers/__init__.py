"""Endpoints that enhance pictures: how `harness.toml` describes them, which every command reads. Requests are in `client`."""

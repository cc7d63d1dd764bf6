"""Endpoints that enhance pictures: how `harness.toml` describes them, which every command reads. Requests are in `client`."""

from harness.enhancers.settings import EnhancerSettings, settings_of

__all__ = ["EnhancerSettings", "settings_of"]

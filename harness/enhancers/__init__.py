"""Endpoints that enhance pictures: how `harness.toml` describes them, and one request to them."""

from harness.enhancers.client import Answer, Client
from harness.enhancers.settings import EnhancerSettings, settings_of

__all__ = ["Answer", "Client", "EnhancerSettings", "settings_of"]

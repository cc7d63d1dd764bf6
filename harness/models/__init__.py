"""Adapters: one card and one exchange of a Request for a Generation, whatever answers."""

from harness.models.registry import BASELINES, MODELS, describe_models, open_model

__all__ = ["BASELINES", "MODELS", "describe_models", "open_model"]

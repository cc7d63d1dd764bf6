"""Adapters: one card and one exchange of a Request for a Generation, whatever answers."""

from harness.models.registry import (
    BASELINES,
    MODELS,
    OpenOptions,
    describe_models,
    open_model,
    takes,
)

__all__ = ["BASELINES", "MODELS", "OpenOptions", "describe_models", "open_model", "takes"]

"""Model adapters: each has a card and exchanges a Request for a Generation."""

from harness.models.registry import (
    BASELINES,
    MODELS,
    OpenOptions,
    describe_models,
    families_of,
    has_own_loop,
    kinds_of,
    open_model,
    outputs_of,
    runs_here,
    runs_in_place,
    takes,
)
from harness.models.settings import ModelSettings

__all__ = [
    "BASELINES",
    "MODELS",
    "ModelSettings",
    "OpenOptions",
    "describe_models",
    "families_of",
    "has_own_loop",
    "kinds_of",
    "open_model",
    "outputs_of",
    "runs_here",
    "runs_in_place",
    "takes",
]

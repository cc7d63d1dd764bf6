"""Named, deterministic changes of what a model is shown."""

from harness.conditions.registry import (
    CONDITIONS,
    describe_conditions,
    load_condition,
    needs_video,
)

__all__ = ["CONDITIONS", "describe_conditions", "load_condition", "needs_video"]

"""Named, deterministic changes of what a model is shown."""

from harness.conditions.registry import CONDITIONS, load_condition

__all__ = ["CONDITIONS", "load_condition"]

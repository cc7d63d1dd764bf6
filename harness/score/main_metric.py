"""The one number that a field is judged by."""

from __future__ import annotations

from harness.core.field import FieldSpec


def main_metric(spec: FieldSpec) -> str:
    """The first metric that the field's task names, else UAR, else the kind's first (CCC for numbers)."""
    if spec.metrics:
        return spec.metrics[0]
    return "uar" if "uar" in spec.shown_metrics else spec.shown_metrics[0]

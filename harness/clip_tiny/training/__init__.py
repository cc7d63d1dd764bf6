"""Trainer of clip:tiny: `python -m harness.clip_tiny.training.train`. Not part of the wheel."""

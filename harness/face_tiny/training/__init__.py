"""Trainer of similarity:tiny: `python -m harness.face_tiny.training.train`. Not part of the wheel."""

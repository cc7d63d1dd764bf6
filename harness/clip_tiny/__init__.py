"""clip:tiny: the embedded dual encoder for drawn faces, and its trainer."""

from __future__ import annotations

from pathlib import Path

NAME = "clip:tiny"


def weights_folder() -> Path:
    """The folder of the shipped checkpoint, in the form that transformers loads."""
    return Path(__file__).resolve().parent / "weights"


__all__ = ["NAME", "weights_folder"]

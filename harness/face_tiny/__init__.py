"""similarity:tiny: the embedded encoder of persons for drawn faces, and its trainer."""

from __future__ import annotations

from pathlib import Path

NAME = "similarity:tiny"


def weights_folder() -> Path:
    """The folder of the shipped weights: `config.json` and `model.safetensors`."""
    return Path(__file__).resolve().parent / "weights"


__all__ = ["NAME", "weights_folder"]

"""affect-tiny: the embedded vision-language model, its instruction grammar and its trainer."""

from __future__ import annotations

from pathlib import Path

NAME = "affect-tiny"


def weights_folder() -> Path:
    """The folder of the shipped checkpoint, in the form that transformers loads."""
    return Path(__file__).resolve().parent / "weights"


__all__ = ["NAME", "weights_folder"]

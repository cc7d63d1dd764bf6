"""affect-tiny: the embedded vision-language model, its instruction grammar and its trainer."""

from __future__ import annotations

from pathlib import Path

NAME = "affect-tiny"


AGENT = "agent"
"""The variant of affect-tiny that was taught to use a tool: `affect-tiny:agent`."""


def weights_folder(variant: str = "") -> Path:
    """The folder of a shipped checkpoint, in the form that transformers loads. `variant`: empty, or `AGENT`."""
    return Path(__file__).resolve().parent / (f"weights_{variant}" if variant else "weights")


__all__ = ["AGENT", "NAME", "weights_folder"]

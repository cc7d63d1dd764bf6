"""Read limits from a server's error messages."""

from __future__ import annotations

import re

_IMAGES = re.compile(r"\bat most (?P<most>\d{1,4}) images?\b", re.IGNORECASE)
"""vLLM: "At most 1 image(s) may be provided in one prompt" (vllm/multimodal/processing)."""


def told_images(said: str) -> int | None:
    """The most pictures of one request that a refusal names; None where it is about something else."""
    found = _IMAGES.search(said)
    return None if found is None else int(found.group("most"))

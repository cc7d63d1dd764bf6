"""Truths of a few drawn faces and clips, without drawing more pictures than needed."""

from __future__ import annotations

from functools import cache
from typing import Any

from harness.affect_tiny.training.corpus import truths
from harness.affect_tiny.training.grammar import Grammar
from harness.core.folders import shipped_folder
from harness.prompting.library import Library


@cache
def some_truths() -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Sixteen faces and sixteen clips."""
    faces, clips = truths(16)
    return tuple(faces), tuple(clips)


@cache
def grammar() -> Grammar:
    """The grammar with the shipped prompts."""
    return Grammar.of(Library([shipped_folder()]))

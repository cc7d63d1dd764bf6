"""Prompt families: what a model is given besides pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

PromptFamily: TypeAlias = Literal["chat", "dual", "none"]
"""chat: a conversation; dual: one or more texts for each label, compared with the pictures; none: nothing."""

CHAT: tuple[PromptFamily, ...] = ("chat",)
"""What a model takes that says nothing else."""


def families_in_words(families: Iterable[PromptFamily]) -> str:
    """`chat prompts and dual prompts`."""
    known = {"chat": "chat prompts", "dual": "dual prompts", "none": "no prompt"}
    return " and ".join(known[family] for family in families)


NO_PROMPT = "none"
"""The name of the prompt of the family `none`: the pictures alone."""

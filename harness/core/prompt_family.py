"""Prompt families: what a model is given besides pictures."""

from __future__ import annotations

from typing import Literal, TypeAlias

PromptFamily: TypeAlias = Literal["chat", "dual", "none"]
"""chat: a conversation; dual: one or more texts for each label, compared with the pictures; none: nothing."""

CHAT: tuple[PromptFamily, ...] = ("chat",)
"""What a model takes that says nothing else."""

NO_PROMPT = "none"
"""The name of the prompt of the family `none`: the pictures alone."""

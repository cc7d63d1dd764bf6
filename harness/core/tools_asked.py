"""The tools of a cell, and how they are altered: an axis of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.core.errors import HarnessError

NO_TOOLS = "none"
PERFECT = "perfect"
ALTERATIONS = ("blank", "echo", "swap", "unavailable", PERFECT)
NOISE = "noise"
FORM = "TOOL+TOOL[:ALTERATION]"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_SHARE = re.compile(r"(?:0?\.[0-9]{1,4}|[01](?:\.0{1,4})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ToolsAsked:
    """`zoom+measure:noise=0.3` taken apart."""

    names: tuple[str, ...]
    """In the order in which they are told to the model."""
    alteration: str = ""
    """One of ALTERATIONS, or `noise`; empty for tools as they are."""
    share: float = 0.0
    """Of `noise`, the probability that a call is answered with another sample's finding."""

    @property
    def written(self) -> str:
        """As the axis spells it."""
        told = "+".join(self.names)
        if not self.alteration:
            return told
        return f"{told}:{self.alteration}" + (
            f"={self.share:g}" if self.alteration == NOISE else ""
        )

    @property
    def needs_donor(self) -> bool:
        """Whether another sample stands in for the sample."""
        return self.alteration in {"swap", NOISE}

    @property
    def needs_region(self) -> bool:
        """Whether the place where the answer is to be seen stands in for the box of a call."""
        return self.alteration == PERFECT


def read_tools(written: str) -> ToolsAsked | None:
    """The tools that `zoom+measure:swap` names; None for `none`. Whether they exist is not asked.

    Raises HarnessError for anything else, for a tool named twice, and for an unknown alteration.
    """
    text = written.strip()
    if text == NO_TOOLS:
        return None
    told, colon, alteration = text.partition(":")
    names = tuple(told.split("+"))
    for name in names:
        if not _NAME.fullmatch(name) or name == NO_TOOLS:
            raise HarnessError(
                f"tools {written!r}: {name!r} is not the name of a tool",
                hint=f"write {FORM}, such as zoom+measure, or {NO_TOOLS}; `harness list tools` lists them",
            )
        if names.count(name) > 1:
            raise HarnessError(f"tools {written!r}: {name} is named twice", hint="name it once")
    if not colon:
        return ToolsAsked(names)
    word, equals, share = alteration.partition("=")
    if word == NOISE and _SHARE.fullmatch(share):
        return ToolsAsked(names, NOISE, float(share))
    if word in ALTERATIONS and not equals:
        return ToolsAsked(names, word)
    raise HarnessError(
        f"tools {written!r}: unknown alteration {alteration!r}",
        hint=f"use one of {', '.join(ALTERATIONS)}, or {NOISE}=P with P from 0 to 1, such as {NOISE}=0.25 (four decimals at "
        "most). There is one, behind the last tool, and it holds for all of them: zoom+measure:swap",
    )


def spelled_tools(written: str) -> str:
    """The axis in its one spelling; empty for `none`. Raises HarnessError as `read_tools` does."""
    found = read_tools(written)
    return "" if found is None else found.written

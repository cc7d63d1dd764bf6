"""Regular expressions that are compiled on first use."""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


class _Lazy:
    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Only reached before the first use: from then on the methods are there."""
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def blanks(found: re.Match[str]) -> str:
    """Spaces in place of a match, for `sub`: what stands behind it keeps its place."""
    return " " * len(found[0])


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` gives, made at the first use; good for its methods only."""
    return cast(re.Pattern[str], _Lazy(text, flags))

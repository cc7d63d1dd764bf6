"""Patterns over cells: which cells an experiment leaves out, and which it compares with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.tools_asked import NO_TOOLS


class CellPattern(BaseModel):
    """Axis -> value; a cell matches if every named axis does. Values may hold `*`, `?` and `[...]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str | None = None
    model: str | None = None
    prompt: str | None = None
    condition: str | None = None
    """How pictures are shown, such as `blank`."""
    channel: str | None = None
    protocol: str | None = None
    shots: str | None = None
    """Number of few-shot examples."""
    label_order: str | None = None
    thinking: str | None = None
    """`off`, `on`, `low`..., or a number of tokens."""
    pixels: str | None = None
    """The most pixels of a picture, as a plain number."""
    detail: str | None = None
    tools: str | None = None
    """`none`, or tools as the axis writes them, such as `zoom*`."""

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        """Numbers and YAML's off and on as they are written."""
        if isinstance(given, bool):
            return "on" if given else "off"
        return str(given) if isinstance(given, int) else given

    @property
    def named(self) -> Mapping[str, str]:
        """The axes that are named, with their patterns."""
        return MappingProxyType(self.model_dump(exclude_none=True))

    def fits(self, cell: Cell) -> bool:
        """Whether a cell matches."""
        return all(fnmatchcase(_value(cell, axis), pattern) for axis, pattern in self.named.items())

    def fitting(self, cells: Iterable[Cell]) -> list[Cell]:
        """The cells that match, in their order."""
        return [cell for cell in cells if self.fits(cell)]

    def __str__(self) -> str:
        return ",".join(f"{axis}={pattern}" for axis, pattern in self.named.items())


def _value(cell: Cell, axis: str) -> str:
    return cell.tools or NO_TOOLS if axis == "tools" else str(getattr(cell, axis))


def fitting_any(patterns: Sequence[CellPattern]) -> Callable[[Cell], bool]:
    """Whether a cell matches any of the patterns; every cell does where there are none."""
    return lambda cell: not patterns or any(pattern.fits(cell) for pattern in patterns)


def refuse_unmatched(patterns: Iterable[CellPattern], cells: Sequence[Cell]) -> None:
    """Raise HarnessError for a pattern of `--where` that no cell matches, naming what the cells have on its axes."""
    for pattern in patterns:
        if not pattern.fitting(cells):
            raise HarnessError(
                f"--where {pattern}: no cell matches", hint=values_of(cells, pattern.named)
            )


def values_of(cells: Iterable[Cell], axes: Iterable[str]) -> str:
    """`the cells have prompt: emotion/plain, emotion/cot`."""
    there = list(cells)
    said = [f"{axis}: {', '.join(sorted({_value(c, axis) for c in there}))}" for axis in axes]
    return f"the cells have {'; '.join(said)}"


def read_patterns(written: Iterable[str], *, option: str) -> tuple[CellPattern, ...]:
    """The patterns of an option that may be repeated. Raises HarnessError as `read_pattern` does."""
    return tuple(read_pattern(one, option=option) for one in written)


def read_pattern(written: str, *, option: str) -> CellPattern:
    """`prompt=emotion/plain,model=qwen*` as a pattern. Raises HarnessError that names the option."""
    named: dict[str, str] = {}
    for part in written.split(","):
        axis, sign, value = part.partition("=")
        name = axis.strip().replace("-", "_")
        if not sign or not value.strip() or name not in CellPattern.model_fields or name in named:
            raise HarnessError(
                f"{option} {written}: {part.strip()!r} does not name an axis and its value",
                hint=f"write AXIS=VALUE, several with commas; the axes are {', '.join(CellPattern.model_fields)}",
            )
        named[name] = value.strip()
    return CellPattern(**named)

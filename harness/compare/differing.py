"""Samples that two cells answer differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.compare.candidates import Contender
from harness.compare.comparability import CellPair
from harness.compare.measure import party
from harness.compare.tables import Block
from harness.core.errors import HarnessError
from harness.core.kind import alike
from harness.core.sample import Value

SHOWN = 20
"""Samples listed of each sort."""


@dataclass(frozen=True, slots=True)
class DifferingSample:
    """One sample that two cells answer differently, in their first repeat."""

    sample: str
    truth: Value
    a: Value | None
    """None where there is no answer."""
    b: Value | None


@dataclass(frozen=True, slots=True)
class Differing:
    """The samples that two cells answer differently, in the order of their ids."""

    pair: CellPair
    only_a: tuple[DifferingSample, ...]
    """Right under A alone."""
    only_b: tuple[DifferingSample, ...]
    otherwise: tuple[DifferingSample, ...]
    """Both wrong, or neither right nor wrong, with different answers."""


def differing(pairs: Sequence[CellPair]) -> Differing:
    """The samples of the one pair. Raises HarnessError where there is not one pair."""
    if len(pairs) != 1:
        raise HarnessError(
            f"--samples lists the samples of two cells, and {len(pairs)} pairs are left",
            hint="choose two cells: --where AXIS=VALUE,... keeps the cells that match",
        )
    pair = pairs[0]
    samples = sorted(pair.a.positions.keys() & pair.b.positions.keys())
    truths = pair.a.truths(samples)
    said_a, said_b = _first(pair.a, samples), _first(pair.b, samples)
    found: tuple[list[DifferingSample], ...] = ([], [], [])
    for sample, truth, a, b in zip(samples, truths, said_a, said_b, strict=True):
        right = [alike(pair.a.spec, one, truth) for one in (a, b)]
        if right[0] != right[1]:
            found[1 - right[0]].append(DifferingSample(sample, truth, a, b))
        elif not right[0] and not alike(pair.a.spec, a, b) and not (a is None and b is None):
            found[2].append(DifferingSample(sample, truth, a, b))
    return Differing(pair, *map(tuple, found))


def _first(one: Contender, samples: Sequence[str]) -> list[Value | None]:
    return one.repeats(samples)[0]


def differing_blocks(found: Differing, *, most: int = SHOWN) -> Iterator[Block]:
    """The samples as tables, at most so many of each sort."""
    a, b = party(found.pair.a), party(found.pair.b)
    yield Block(
        heading=f"{found.pair.a.cell.task}: {found.pair.a.field}, samples answered differently",
        lines=(f"A  {a.name}", f"B  {b.name}"),
    )
    for title, some in (
        ("right under A alone", found.only_a),
        ("right under B alone", found.only_b),
        ("neither right, different answers", found.otherwise),
    ):
        if some:
            left = len(some) - most
            yield Block(
                header=(f"{title} ({len(some):,})", "truth", "A", "B"),
                rows=tuple(
                    (one.sample, _said(one.truth), _said(one.a), _said(one.b))
                    for one in some[:most]
                ),
                remarks=(f"and {left:,} more; --json and --html list all",) if left > 0 else (),
            )
    if not (found.only_a or found.only_b or found.otherwise):
        yield Block(lines=("no sample is answered differently",))


def _said(value: Value | None) -> str:
    if value is None:
        return "no answer"
    return ", ".join(sorted(map(str, value))) if isinstance(value, tuple) else str(value)

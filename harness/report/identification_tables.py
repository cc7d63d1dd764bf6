"""Identification one against many as blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.analyses.words import count
from harness.core.blocks import Lines, Number, Table
from harness.similarity.identification import Identification, Rate


def identification_blocks(
    found: Identification, *, task: str, model: str
) -> Iterator[Table | Lines]:
    """Tables of ranks and of open-set errors, then lines that say what was searched."""
    yield Table(
        title=f"{task}: {model}, closed set",
        columns=("", *(f"rank ≤ {rank}" for rank, _ in found.ranks)),
        rows=(
            (
                "enrolled persons found",
                *(_number(found.rank_one) if rank == 1 else Number(value) for rank, value in found.ranks),
            ),
            ("by chance", *(Number(rank / found.enrolled) for rank, _ in found.ranks)),
        ),
    )  # fmt: skip
    if found.open_set:
        yield Table(
            title="Open set",
            columns=("", "FPIR reached", "FNIR", "threshold"),
            rows=tuple(
                (f"FPIR ≤ {100 * one.limit:g}%", f"{100 * one.fpir:.3g}%", _number(one.fnir), f"{one.threshold:.3f}" if math.isfinite(one.threshold) else "any score")
                for one in found.open_set
            ),
        )  # fmt: skip
    yield Lines(lines=tuple(_lines(found)), room="little")


def _lines(found: Identification) -> Iterator[str]:
    yield (
        f"{count(found.enrolled)} persons enrolled with {count(found.gallery)} pictures; {count(found.mated)} searches for "
        f"them, {count(found.non_mated)} for persons who are not enrolled; 95% intervals resample persons"
    )
    if found.open_set:
        yield (
            "FPIR: searches for persons who are not enrolled that return anyone; FNIR: searches for enrolled persons that "
            "do not return them first and above the threshold, which is chosen on these searches"
        )
    else:
        yield "no open-set errors: no searched person is left out of the gallery (--unknown 0, or too small a share of so few persons)"
    if found.unusable:
        named = ", ".join(found.unusable[:5]) + (", ..." if len(found.unusable) > 5 else "")
        yield (
            f"{count(len(found.unusable))} pictures could not be read or hold no face, and count as not found: {named}"
        )


def _number(rate: Rate) -> Number:
    return Number(rate.value, rate.low, rate.high)

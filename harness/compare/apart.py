"""Which cells of several runs can stand in one ranking: scores over other samples or other classes say nothing about each
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.compare.candidates import Contender
from harness.core.text import counted

LEAST_SHARED = 0.9
"""Share of the samples of two cells that both must have: runs of the same samples may lack a few replies each."""
NAMED = 3
"""Settings that are named."""


def apart(found: Sequence[Contender], folders: Sequence[str]) -> dict[int, str]:
    """Place of a cell -> why it cannot be ranked with the others; empty where all can.

    Cells of one run always can. Of two runs they can where they have the same classes and nearly the same samples. The
    largest such group is ranked, of equal ones the one with more samples, then the first; where no cell is like another,
    none is.
    """
    if len(set(folders)) < 2:
        return {}
    first = {folder: at for at, folder in reversed(list(enumerate(folders)))}
    reasons = {
        a: {b: ", ".join(_reasons(found[at], found[other])) for b, other in first.items()}
        for a, at in first.items()
    }
    groups = {
        a: [at for at, folder in enumerate(folders) if not reasons[a][folder]]
        for a in dict.fromkeys(folders)
    }
    chosen = max(groups, key=lambda a: (len(groups[a]), len(found[first[a]].positions)))
    left = [at for at in range(len(found)) if at not in groups[chosen]]
    if left and len(groups[chosen]) < 2:
        left = list(range(len(found)))
        other = next(folder for folder in first if folder != chosen)
        reasons[chosen][chosen] = reasons[other][chosen]
    return {at: reasons[chosen][folders[at]] for at in left}


def _reasons(against: Contender, one: Contender) -> Iterator[str]:
    """In what the second differs from the first so that their scores cannot be compared."""
    if against is one:
        return
    mine, theirs = set(one.positions), set(against.positions)
    shared = len(mine & theirs)
    reasons = []
    if one.spec.classes != against.spec.classes:
        reasons.append(f"{len(one.spec.classes)} classes, not the same {len(against.spec.classes)}")
    if shared < LEAST_SHARED * max(len(mine), len(theirs)):
        reasons.append(
            f"{'none' if not shared else f'only {shared:,}'} of the {counted(len(theirs), 'sample')} of {against.side}"
        )
    both = sorted(mine & theirs)
    if both and one.truths(both) != against.truths(both):
        reasons.append(f"other true values than {against.side} for the same samples")
    if reasons:
        reasons += _settings(against, one)
    yield from reasons


def _settings(against: Contender, one: Contender) -> list[str]:
    """Settings of the source in which they differ."""
    a, b = against.records.task.source, one.records.task.source
    names = sorted(key for key in {*a, *b} if a.get(key) != b.get(key))
    if not names:
        return []
    told = ", ".join(f"source.{key}" for key in names[:NAMED])
    return [f"another {told}" + (", ..." if len(names) > NAMED else "")]

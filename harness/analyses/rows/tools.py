"""Does a model use what its tools show? From cells of one prompt whose tools tell the truth, or lie in a known way.

Of each sample whose tools lied with another sample's findings (`:swap`), the answer may be the label of that sample (the
tool is followed), or what the model says when it is asked once, without tools (its own look is followed). The first is
worth something only where the two differ, so other samples are left out. Who follows its tools only where it is unsure
is seen by keeping samples apart that one look reads right and wrong: one look that is wrong is mostly unsure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.core.cell import Cell
from harness.core.tool import UNASKED
from harness.core.tools_asked import NOISE, read_tools
from harness.protocols.registry import uses_tools
from harness.score.grouping import LEAST_CLUSTERS, LEAST_SAMPLES
from harness.stats.bootstraps import bootstrap
from harness.stats.interval import wilson

DRAWS = 2000
LEVEL = 0.95
ALPHA = 0.05

TOOLS, EYES, UNSURE, EITHER, FEW = "tools", "eyes", "unsure", "undecided", "too-few"
"""Verdicts: it follows its tools; its own look; its tools where its own look was wrong; neither is shown; too few samples
to say."""

SAMPLES_LEAST = LEAST_SAMPLES


@dataclass(frozen=True, slots=True)
class ToolTrial:
    """One trial of a cell, of one field."""

    sample: str
    cluster: str
    truth: str | None
    answer: str | None
    """None where there is none."""
    calls: tuple[Sequence[Any], ...] = ()
    """As `Called.to_json` writes them."""
    limited: bool = False
    """Whether a limit ended the calls."""

    @property
    def right(self) -> bool:
        return self.answer is not None and self.answer == self.truth

    @property
    def donor(self) -> str:
        """The sample whose finding the model was shown first; empty where it was shown none."""
        return next((str(call[5]) for call in self.calls if call[3] == "ok" and call[5]), "")

    @property
    def own_calls(self) -> tuple[Sequence[Any], ...]:
        """Those that the model made, without what it was given unasked."""
        return tuple(call for call in self.calls if call[0] > UNASKED)


Trials = Mapping[str, ToolTrial]
"""Repeat and sample -> trial."""


def audit_row(
    cells: Mapping[str, Trials],
    look: Trials | None,
    truths: Mapping[str, str | None],
    *,
    seed: int,
    suffices: Mapping[str, bool] = MappingProxyType({}),
) -> dict[str, Any]:
    """The audit of one prompt and set of tools.

    Args:
        cells: alteration as the axis writes it ("" for true tools, `swap`, `noise=0.3`...) -> its trials.
        look: the same prompt asked once, without tools.
        truths: sample -> its true label, also of samples that lent their findings.
        suffices: sample -> whether its picture is enough without a call, where the data say so.
    """
    found: dict[str, Any] = {
        "accuracy": {
            name or "true": share_of([t.right for t in c.values()]) for name, c in cells.items()
        }
    }
    if look is not None:
        found["accuracy"] = {
            "one look": share_of([t.right for t in look.values()]),
            **found["accuracy"],
        }
    true = cells.get("")
    if true is not None:
        found |= _against(true, cells, look, seed=seed)
        if any(suffices.get(t.sample) is False for t in true.values()):
            needing = {name: _needing(trials, suffices) for name, trials in cells.items()}
            at = None if look is None else _needing(look, suffices)
            found["needed"] = dict(_against(needing[""], needing, at, seed=seed))
    if look is not None:
        found |= _recovery(cells, look)
    found |= _dose(cells)
    if "swap" in cells:
        found["swap"] = following(cells["swap"], look, true, truths, seed=seed)
    return found


def _needing(trials: Trials, suffices: Mapping[str, bool]) -> Trials:
    """Those of samples whose picture does not suffice."""
    return {key: one for key, one in trials.items() if suffices.get(one.sample) is False}


def _against(
    true: Trials, cells: Mapping[str, Trials], look: Trials | None, *, seed: int
) -> Iterator[tuple[str, Any]]:
    if "echo" in cells:
        yield "net", gain(true, cells["echo"], seed=seed)
    if look is None:
        return
    yield "gain", gain(true, look, seed=seed)
    if "echo" in cells:
        yield "echo_gain", gain(cells["echo"], look, seed=seed)


def gain(one: Trials, other: Trials, *, seed: int) -> dict[str, Any]:
    """Accuracy of the first less that of the second on the samples that both have, with its interval over clusters."""
    shared = [key for key in one if key in other]
    clusters = codes([one[key].cluster for key in shared])
    differences = np.array(
        [float(one[key].right) - float(other[key].right) for key in shared], dtype=np.float64
    )
    if not shared or too_few(len(shared), clusters):
        return {"n": len(shared), "clusters": count_of(clusters), "value": None}
    rows = np.column_stack([differences, np.ones(len(shared))])
    interval = bootstrap(
        rows, clusters, lambda t: t[..., 0] / t[..., 1], draws=DRAWS, level=LEVEL, seed=seed
    )
    return {
        "n": len(shared),
        "clusters": count_of(clusters),
        "value": rounded(float(differences.mean())),
        "low": rounded(interval.low),
        "high": rounded(interval.high),
        "estimator": f"difference of accuracies, paired; {interval.level:.0%} {interval.method}",
    }


def _recovery(cells: Mapping[str, Trials], look: Trials) -> Iterator[tuple[str, Any]]:
    """Of the samples that one look reads right, the share that is still right where tools give nothing."""
    told = {}
    for name in ("blank", "unavailable"):
        if name in cells:
            kept = [t.right for k, t in cells[name].items() if k in look and look[k].right]
            told[name] = share_of(kept)
    if told:
        yield "recovery", told


def _dose(cells: Mapping[str, Trials]) -> Iterator[tuple[str, Any]]:
    """Accuracy by the share of false findings, and its slope by least squares over at least two of them."""
    shares = {name: _dose_of(name) for name in cells}
    points = sorted(
        (share, float(np.mean([t.right for t in cells[name].values()])), len(cells[name]))
        for name, share in shares.items()
        if share is not None and cells[name]
    )
    if len(points) < 2 or not any(name.startswith(NOISE) for name in cells):
        return
    x, y, _ = np.array(points).T
    slope = float(np.polyfit(x, y, 1)[0])
    yield (
        "dose",
        {
            "points": [{"false": rounded(a), "accuracy": rounded(b), "n": n} for a, b, n in points],
            "slope": rounded(slope),
        },
    )


def _dose_of(name: str) -> float | None:
    if name in {"", "swap"}:
        return 0.0 if not name else 1.0
    return float(name.partition("=")[2]) if name.startswith(NOISE) else None


def following(
    swapped: Trials,
    look: Trials | None,
    true: Trials | None,
    truths: Mapping[str, str | None],
    *,
    seed: int,
) -> dict[str, Any]:
    """Whom a model follows where its tools show another sample: shares with intervals, and a verdict.

    Without `look` the truth stands for what the model's own look says, and no sample that it reads wrong is known.
    """
    right: list[_Followed] = []
    wrong: list[_Followed] = []
    for key, trial in swapped.items():
        donor = truths.get(trial.donor)
        if not trial.donor or donor is None or trial.truth is None:
            continue
        own = trial.truth if look is None else (look[key].answer if key in look else None)
        if own is None or donor in {own, trial.truth}:
            continue
        told = _Followed(trial.answer == donor, trial.answer == own, trial.cluster, key, donor)
        (right if own == trial.truth else wrong).append(told)
    used = len(right) + len(wrong)
    found: dict[str, Any] = {"n": used, "clusters": len({f.cluster for f in (*right, *wrong)})}
    if used < SAMPLES_LEAST or found["clusters"] < LEAST_CLUSTERS:
        return {**found, "verdict": FEW}
    found["eyes_right"] = _shares(right, true, seed=seed)
    found["eyes_wrong"] = _shares(wrong, true, seed=seed)
    found["verdict"] = _verdict(found["eyes_right"], found["eyes_wrong"])
    return found


@dataclass(frozen=True, slots=True)
class _Followed:
    tool: bool
    own: bool
    cluster: str
    key: str
    donor: str


def _shares(some: Sequence[_Followed], true: Trials | None, *, seed: int) -> dict[str, Any]:
    """Tool-following, eye-following, the deference that is left when chance is taken off, and a test between the two."""
    clusters = codes([one.cluster for one in some])
    tool, own = [one.tool for one in some], [one.own for one in some]
    found: dict[str, Any] = {
        "n": len(some),
        "clusters": count_of(clusters),
        "tool": share_in(tool, clusters, seed=seed),
        "eyes": share_in(own, clusters, seed=seed),
        "p": None,
    }
    if true is not None and some:
        chance = [one.key in true and true[one.key].answer == one.donor for one in some]
        found["deference"] = rounded(float(np.mean(tool) - np.mean(chance)))
    if some:
        from harness.stats.signflip import sign_flip

        a, b = (np.column_stack([np.array(one, dtype=np.float64)]) for one in (tool, own))
        found["p"] = rounded(
            sign_flip(a, b, clusters, lambda t: t[..., 0] / len(some), seed=seed).p
        )
    return found


def _verdict(right: Mapping[str, Any], wrong: Mapping[str, Any]) -> str:
    """By a sign-flip test on each side of the one look; a side that decides nothing leaves it to the other."""
    sides = {side_of(right), side_of(wrong)} - {EITHER}
    if (side_of(right), side_of(wrong)) == (EYES, TOOLS):
        return UNSURE
    return sides.pop() if len(sides) == 1 else EITHER


def side_of(found: Mapping[str, Any]) -> str:
    """Whom a model follows on one side of its one look, by the test: TOOLS, EYES, or EITHER where it is not shown."""
    if found["p"] is None or found["p"] >= ALPHA:
        return EITHER
    return TOOLS if found["tool"]["value"] > found["eyes"]["value"] else EYES


def share_of(flags: Sequence[bool]) -> dict[str, Any]:
    """A share and what it is of; no value where that is too few."""
    n = len(flags)
    return {"n": n, "value": rounded(sum(flags) / n) if n >= SAMPLES_LEAST else None}


def share_in(flags: Sequence[bool], clusters: Any, *, seed: int) -> dict[str, Any]:
    """A share with its interval: over clusters, or Wilson's where each sample stands for itself; at 0 and 1, which
    resampling would give no width, Wilson's over as many trials as there are clusters."""
    n, count = len(flags), count_of(clusters)
    if not n:
        return {"n": 0, "value": None, "low": None, "high": None}
    share = sum(flags) / n
    if count == n:
        interval = wilson(sum(flags), n, level=LEVEL)
    elif share in {0.0, 1.0}:
        interval = wilson(round(share * count), count, level=LEVEL)
    else:
        rows = np.column_stack([np.array(flags, dtype=np.float64), np.ones(n)])
        interval = bootstrap(
            rows, clusters, lambda t: t[..., 0] / t[..., 1], draws=DRAWS, level=LEVEL, seed=seed
        )
    return {
        "n": n,
        "value": rounded(share),
        "low": rounded(interval.low),
        "high": rounded(interval.high),
    }


def codes(clusters: Sequence[str]) -> Any:
    places = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    return np.array([places[name] for name in clusters], dtype=np.int64)


def count_of(clusters: Any) -> int:
    return int(np.unique(clusters).size)


def too_few(n: int, clusters: Any) -> bool:
    return n < SAMPLES_LEAST or count_of(clusters) < LEAST_CLUSTERS


def rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0


def family(cell: Cell) -> Cell:
    """What cells that differ in their tools alone have in common: the cell as it would be asked once, without tools."""
    protocol = "single" if uses_tools(cell.protocol) else cell.protocol
    return replace(cell, tools="", protocol=protocol, given_id="")


def alteration_in(tools: str) -> tuple[str, str]:
    """The names of the tools, and how they lie, of the axis as it is written: (`zoom+measure`, `noise=0.3`)."""
    asked = read_tools(tools)
    if asked is None:
        return "", ""
    return "+".join(asked.names), asked.written.partition(":")[2]

"""Same person or not: curves, accuracy on ten folds, true accepts at attainable rates, errors by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.analyses.keys import RowKey, heading, named, row_key, who
from harness.analyses.rows.verification import (
    FOLDS,
    LIMITS,
    Pairs,
    error_rates,
    ten_folds,
    whole,
)
from harness.analyses.verification_notes import how_lines, inverted_notes
from harness.analyses.words import count, interval, number
from harness.core.blocks import Block, Column, Lines, Note, Number, Place, Point, Points, Row, Table
from harness.core.cell import Cell
from harness.core.task import Task
from harness.metrics.verification import curve
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.grouping import UNKNOWN, Grouping, suppressed
from harness.score.records import repeated_answers
from harness.score.table import rounded
from harness.stats.agreement import spread

KIND = "pairs"
PAIR, FOLD, OTHER = "pair", "fold", "other_subject"
"""Annotations of pairs: what kind of pair it is, its fold, its second subject."""
_MANY = 100
"""Impostors from which errors by group stand at a false accept rate of 1%, below it of 10%."""
_Thresholds: TypeAlias = "dict[tuple[str, ...], float]"


def _applies(task: Task) -> bool:
    return any(spec.scored and spec.kind == KIND for spec in task.fields.values())


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    notes = _Notes.of(answers)
    own: _Thresholds = {}
    cells = sorted(answers.cells, key=lambda cell: cell.shown_condition != "none")
    for cell in cells:
        for name, spec in answers.task.fields.items():
            if spec.scored and spec.kind == KIND:
                yield from _of_cell(answers, notes, cell, name, own)


class _Notes:
    """What is known of every sample besides its answers."""

    def __init__(self, second: list[str], folds: list[str], types: list[str]) -> None:
        self.second, self.folds, self.types = second, folds, types

    @classmethod
    def of(cls, answers: TaskAnswers) -> _Notes:
        columns: tuple[list[str], ...] = ([], [], [])
        for sample in answers.samples():
            for column, name in zip(columns, (OTHER, FOLD, PAIR), strict=True):
                value = sample.annotations.get(name)
                column.append("" if value is None else str(value))
        return cls(*columns)


def _of_cell(
    answers: TaskAnswers, notes: _Notes, cell: Cell, name: str, own: _Thresholds
) -> Iterator[Mapping[str, Any]]:
    records, groups = answers.records, answers.groups
    positions, repeats = repeated_answers(records, cell, name)
    places = np.asarray(positions, dtype=np.int64)
    if not places.size:
        return
    said = np.array([[np.nan if v is None else float(str(v)) for v in one] for one in repeats])
    there = (~np.isnan(said)).any(axis=0)
    scores = np.nanmean(said[:, there], axis=0) if there.any() else np.zeros(0)
    spec = records.task.fields[name]
    truths = [float(str(v)) for v in records.samples.truths_at(name, places[there])]
    kept = places[there]
    for part, inside in groups.slices.items():
        mask = inside[kept]
        if "=" in part or not mask.any():
            continue
        at = kept[mask]
        genuine = np.array(truths)[mask] > (spec.low + spec.high) / 2
        pairs = _pairs(answers, notes, at, scores[mask], genuine)
        base: dict[str, Any] = {
            "task": cell.task, "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
            "channel": cell.taken, "slice": part, "field": name,
        }  # fmt: skip
        coverage = mask.sum() / max(1, inside[places].sum())
        yield {
            **base,
            **_row(answers, notes, at, pairs, own=own, base=base, coverage=float(coverage)),
        }


def _pairs(
    answers: TaskAnswers, notes: _Notes, at: NDArray[np.int64], scores: Any, genuine: Any
) -> Pairs:
    """Pairs with their subjects numbered; clusters stand for them where no subjects are named."""
    samples = answers.records.samples
    numbers = {str(samples.cluster_names[k]): k for k in range(len(samples.cluster_names))}
    first = answers.groups.clusters[at]
    second = [
        numbers.setdefault(word, len(numbers)) if (word := notes.second[place]) else int(one)
        for place, one in zip(at.tolist(), first, strict=True)
    ]
    return Pairs(scores, genuine, first, np.array(second, np.int64), len(numbers))


def _row(
    answers: TaskAnswers, notes: _Notes, at: NDArray[np.int64], pairs: Pairs, *, own: _Thresholds,
    base: Mapping[str, str], coverage: float,
) -> Mapping[str, Any]:  # fmt: skip
    genuine, impostors = pairs.counts
    unit = answers.records.cluster_unit
    found: dict[str, Any] = {
        "n": genuine + impostors, "genuine": genuine, "impostors": impostors, "coverage": rounded(coverage),
        "subjects": int(np.unique(np.concatenate([pairs.first, pairs.second])).size), "unit": unit,
        "suppressed": suppressed(np.ones(at.size, np.bool_), pairs.first, unit=unit),
    }  # fmt: skip
    if not genuine or not impostors:
        found["suppressed"] = "no pairs of both kinds"
    if found["suppressed"]:
        return found
    found |= whole(pairs, seed=answers.seed)
    given = [notes.folds[place] for place in at.tolist()]
    folded = ten_folds(pairs, given if all(given) else None)
    over = spread(list(folded.accuracies)) if folded.accuracies else None
    found["folds"] = {
        "given": all(given), "unnamed": given.count("") if any(given) else 0, "n": len(folded.accuracies), "shared": folded.shared, "one_sided": folded.one_sided, "reason": folded.reason,
        "mean": None if over is None else rounded(over.mean),
        "deviation": None if over is None else rounded(over.deviation),
        "threshold": rounded(float(np.mean(folded.thresholds))) if folded.thresholds else None,
    }  # fmt: skip
    found["types"] = list(_by_type(notes, at, pairs, seed=answers.seed))
    limit = 0.01 if impostors >= _MANY else 0.1
    threshold, _, _ = curve(pairs.scores, pairs.genuine).at_far(limit)
    key = tuple(base[k] for k in ("model", "prompt", "channel", "slice", "field"))
    threshold = own.setdefault(key, threshold) if base["condition"] == "none" else own.get(key, threshold)  # fmt: skip
    if not np.isfinite(
        threshold
    ):  # no score accepts so few impostors: the strictest that accepts any
        threshold = float(pairs.scores.max())
    of_none = base["condition"] != "none" and key in own
    found["point"] = {
        "limit": limit, "threshold": rounded(threshold), "of_none": of_none,
        **error_rates(pairs, threshold, seed=answers.seed),
    }  # fmt: skip
    found["groups"] = [
        entry
        for grouping in answers.groups.groupings
        for entry in _by_group(grouping, at, pairs, threshold, unit=unit, seed=answers.seed)
    ]
    return found


def _by_type(
    notes: _Notes, at: NDArray[np.int64], pairs: Pairs, *, seed: int
) -> Iterator[Mapping[str, Any]]:
    """All genuine pairs against the impostors of one type, where the data name types."""
    types = np.array([notes.types[place] for place in at.tolist()])
    names = sorted({str(word) for word in types[~pairs.genuine] if word})
    for name in names if len(names) > 1 else ():
        some = pairs.at(pairs.genuine | (types == name))
        read = whole(some, seed=seed)
        yield {"type": name, "impostors": some.counts[1], "auroc": read["auroc"], "eer": read["eer"], "tars": read["tars"]}  # fmt: skip


def _by_group(
    grouping: Grouping, at: NDArray[np.int64], pairs: Pairs, threshold: float, *, unit: str, seed: int
) -> Iterator[Mapping[str, Any]]:  # fmt: skip
    codes = grouping.at(at).codes
    for place, value in enumerate(grouping.values):
        mask = codes == place
        if not mask.any() or place == UNKNOWN:
            continue
        why = suppressed(mask, pairs.first, unit=unit)
        rates = {} if why else error_rates(pairs.at(mask), threshold, seed=seed)
        yield {
            "by": grouping.name,
            "value": value,
            "n": int(mask.sum()),
            "suppressed": why,
            **rates,
        }


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    for part, field in dict.fromkeys((entry["slice"], entry["field"]) for entry in rows):
        here = [e for e in rows if (e["slice"], e["field"]) == (part, field)]
        shown = [e for e in here if not e["suppressed"]]
        at = Place(field, part)
        if shown:
            yield Lines(lines=tuple(_line(e, named(field, part)) for e in shown), room="little")
            yield from inverted_notes(shown, at)
            yield from _section(shown, at)
        for entry in here:
            if entry["suppressed"]:
                told = " ".join(heading(row_key(entry)))
                yield Note(at=at, text=f"{told}: no verification figures ({entry['suppressed']})")


def _line(entry: Mapping[str, Any], field: str) -> str:
    folds, auroc, eer = entry["folds"], entry["auroc"], entry["eer"]
    tar = entry["tars"][1]
    accuracy = (
        f"accuracy {number(folds['mean'])} ± {number(folds['deviation'])} on {folds['n']} folds, "
        if folds["mean"] is not None
        else ""
    )
    return (
        f"{' '.join(heading(row_key(entry)))}, {field}: {accuracy}AUROC {number(auroc['value'])} "
        f"{_told_interval(entry, auroc)}, EER {number(eer['value'])}, TAR {number(tar['tar'])} at FAR "
        f"{_percent(tar['far'])} (at most 1%), {entry['genuine']} genuine pairs and {entry['impostors']} impostors"
    )


def _told_interval(entry: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """An interval, and how it differs from that of the same figure in the table of scores, which resamples one side."""
    if found["low"] is None:
        return ""
    unit = entry["unit"]
    ends = interval(found["low"], found["high"])
    return f"{ends} (resamples the {unit}s of both sides of a pair; the table of scores: of its first side)"


def _section(rows: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    yield _scores(rows, at)
    yield from _curves(rows, at)
    yield from _types(rows, at)
    yield from _groups(rows, at)
    yield Lines(
        at=at, room="much", folded="How verification was measured", lines=tuple(how_lines(rows))
    )


def _scores(rows: Sequence[Mapping[str, Any]], at: Place) -> Table:
    columns = [Column("Pairs"), Column(f"Accuracy\n{FOLDS} folds"), Column("AUROC"), Column("EER")]
    # a limit that not even one impostor may exceed tells no more than the limit before
    kept = [
        k
        for k, limit in enumerate(LIMITS)
        if not k or any(e["impostors"] * limit >= 1 for e in rows)
    ]
    for limit in (LIMITS[k] for k in kept):
        title = f"FAR ≤ {_percent(limit)}"
        columns += [Column("TAR", group=title), Column("reached", group=title)]
    return Table(
        at=at,
        room="much",
        title="Same person: verification",
        caption="Answered pairs; 95% intervals resample the subjects of both sides, so they differ from those in the table of "
        "scores, which resamples those of the first. Accuracy: mean ± deviation over folds, each with the "
        "threshold of the others. TAR: share of genuine pairs accepted at the most accepting threshold whose false accept "
        "rate stays within the limit, in-sample; beside it the rate it reaches, lower where scores are coarse or impostors "
        "few",
        columns=("", *columns),
        rows=tuple(
            (
                who(row_key(e)), _pair_count(e),
                Number(e["folds"]["mean"], deviation=e["folds"]["deviation"]), _number(e["auroc"]), _number(e["eer"]),
                *(
                    cell
                    for tar in (e["tars"][k] for k in kept)
                    for cell in (Number(tar["tar"], tar["low"], tar["high"]), _percent(tar["far"]))
                ),
            )
            for e in rows
        ),
    )  # fmt: skip


def _pair_count(entry: Mapping[str, Any]) -> str:
    told = f"{count(entry['genuine'])} + {count(entry['impostors'])}"
    return told if entry["coverage"] == 1 else f"{told} ({_percent(entry['coverage'])} answered)"


def _curves(rows: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    for entry in rows:
        yield Points(
            at=at,
            room="much",
            joined=True,
            x_name="false accept rate",
            y_name="true accept rate",
            caption=f"{' · '.join(heading(row_key(entry)))}: ROC, {count(entry['distinct'])} distinct scores.",
            points=tuple(Point(far, tar, entry["n"]) for far, tar in entry["curve"]),
        )


def _types(rows: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    names = list(dict.fromkeys(one["type"] for e in rows for one in e["types"]))
    if not names:
        return
    found = {row_key(e): {one["type"]: one for one in e["types"]} for e in rows}
    yield Table(
        at=at,
        room="much",
        title="By type of impostor",
        caption="All genuine pairs against the impostors of one type: AUROC, and TAR at a FAR of at most 10%",
        columns=("", *(Column(w, group=name) for name in names for w in ("n", "AUROC", "TAR"))),
        rows=tuple(
            (who(key), *(cell for name in names for cell in _type_cells(types.get(name))))
            for key, types in found.items()
        ),
    )


def _type_cells(one: Mapping[str, Any] | None) -> tuple[Any, ...]:
    if one is None:
        return (None, None, None)
    tar = one["tars"][0]
    return (one["impostors"], _number(one["auroc"]), Number(tar["tar"], tar["low"], tar["high"]))


def _groups(rows: Sequence[Mapping[str, Any]], at: Place) -> Iterator[Block]:
    for by in dict.fromkeys(one["by"] for e in rows for one in e["groups"]):
        entries: dict[RowKey, dict[str, Mapping[str, Any]]] = {
            row_key(e): {one["value"]: one for one in e["groups"] if one["by"] == by} for e in rows
        }
        values = list(dict.fromkeys(v for found in entries.values() for v in found))
        shown = [v for v in values if any(not f[v]["suppressed"] for f in entries.values() if v in f)]  # fmt: skip
        if shown:
            yield Table(
                at=at,
                room="much",
                title=f"Errors by {by}",
                caption=_point(rows)
                + ". FMR: impostors taken for one person; FNMR: genuine pairs taken for two. Impostors count in a group "
                "where both persons are of it",
                columns=("", *(Column(w, group=v) for v in ("all", *shown) for w in ("FMR", "FNMR"))),
                rows=tuple(
                    Row((who(row_key(e)), *_rates(e["point"]), *(c for v in shown for c in _rates(entries[row_key(e)].get(v)))))
                    for e in rows
                ),
            )  # fmt: skip
        left = [v for v in values if v not in shown]
        if left:
            yield Note(at=at, room="much", text=f"Groups of {by} with too few pairs or subjects to be shown: {', '.join(left)}.")  # fmt: skip


def _rates(entry: Mapping[str, Any] | None) -> tuple[Any, Any]:
    if entry is None or entry.get("suppressed"):
        return (None, None)
    return (_number(entry["fmr"]), _number(entry["fnmr"]))


def _point(rows: Sequence[Mapping[str, Any]]) -> str:
    limits = sorted({e["point"]["limit"] for e in rows})
    told = " or ".join(_percent(limit) for limit in limits)
    other = (
        "; under another condition the threshold stays that of the same model and prompt under none"
        if any(e["point"]["of_none"] for e in rows)
        else ""
    )
    return f"At one threshold for all groups, whose FAR over all pairs is at most {told}{other}"


def _number(entry: Mapping[str, Any]) -> Number:
    return Number(entry["value"], entry["low"], entry["high"])


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.3g}%"


ANALYSIS = ShippedAnalysis(
    name="verification",
    title="Same person: verification",
    about="fields of kind `pairs`: ROC, accuracy on ten folds, EER, true accepts at attainable rates, errors by group",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="verification",
    sparse=True,
    order=30,
)

"""A dossier of a run for those who decide about its use: what was measured, for whom, how surely, and what was not.

Everything is read off the scores, the analyses and the manifest of the run; nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analyses.keys import (
    UNSEEN_SAID,
    Numbers,
    RowKey,
    heading,
    is_blank,
    measured,
    row_key,
    who,
)
from harness.analyses.risk_coverage import curves, risk_table
from harness.analyses.rows.label_orders import order_lines
from harness.analyses.slices import gap_words
from harness.analyses.words import count, interval, listed, metric_name, number, percent
from harness.compare.tables import Block as CueBlock
from harness.core.blocks import Block, Lines, MarkedText, Note, Number, Row, Share, Table
from harness.core.kind import kind_of
from harness.core.outcome import Outcome
from harness.metrics import missing_said
from harness.report.dossier_gaps import meaning, untested
from harness.report.dossier_hosts import host_rows
from harness.report.inputs import RunView
from harness.report.notices import run_notices
from harness.report.provenance import sample_line, title
from harness.report.tables import ScoreTable, TableLine, imputed_lines, known_metric, score_tables
from harness.score.repeats import consistency_lines

SCHEMA = 1
MOST_ROWS = 12
"""Rows of one table; the others are counted."""
MOST_CURVES = 2
MOST_NAMED = 8
"""Models, prompts or conditions that are named."""
MOST_SHORT = 3
"""Groups that are named in short."""

LAW_DATE = "November 2026"
LAW = (
    "Regulation (EU) 2024/1689 (AI Act), Article 5(1)(f): AI systems that infer emotions of people at work or in education "
    "are prohibited, except for medical or safety reasons. In application since 2 February 2025.",
    "Annex III, point 1(c): where emotion recognition is permitted, it is a high-risk use, with the duties of Chapter III. "
    "The dates of application differ by article and may be changed.",
    "Article 50(3): whoever deploys emotion recognition has to inform the people who are exposed to it.",
    "Regulation (EU) 2016/679 (GDPR): a face by which a person can be identified is personal data (Article 4(1)); data on "
    "health, origin and biometric data for identification are special categories (Article 9). An impact assessment may be "
    "needed (Article 35), and transfers to third countries have rules of their own (Chapter V).",
)
LAW_NOTE = f"As of {LAW_DATE}. This is no legal advice; other countries have other rules."


@dataclass(frozen=True, slots=True)
class DossierPart:
    """One section."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """One run."""

    title: str
    started: str
    notices: tuple[str, ...]
    parts: tuple[DossierPart, ...]


def dossier(view: RunView, cues: Sequence[CueBlock]) -> Dossier:
    """What is told of a run; `cues` are the blocks of its cue audit, none where it has none."""
    tables = [table for name in view.tasks for table in score_tables(view, name)]
    parts = (
        DossierPart("In short", (Lines(lines=tuple(_short(view, tables))),)),
        DossierPart("What was measured", tuple(_measured(view))),
        DossierPart("Scores", tuple(_scores(tables))),
        DossierPart("Worst group", tuple(_groups(view))),
        DossierPart("Refusals", tuple(_refusals(view))),
        DossierPart("Robustness", tuple(_robustness(view, tables))),
        DossierPart("Cue reliance", tuple(_cues(cues))),
        DossierPart("Risk against coverage", tuple(_risk(view))),
        DossierPart("Where the pictures went", tuple(_hosts(view))),
        DossierPart("What was not tested", (Lines(lines=tuple(untested(view, bool(cues)))),)),
        DossierPart("The law in the European Union", (Lines(lines=LAW), Note(text=LAW_NOTE))),
    )
    return Dossier(
        title(view), str(view.manifest["started"]), tuple(said for said, _ in run_notices(view.manifest)), parts
    )  # fmt: skip


def _short(view: RunView, tables: Sequence[ScoreTable]) -> Iterator[str]:
    """What a reader has to know, in a sentence for each subject."""
    for table in tables:
        lines = [line for line in _shown(table) if line.kind == "model" and line.strict[0].row]
        sign = known.sign if (known := known_metric(table)) else 1
        best = max(lines, key=lambda one: sign * (one.strict[0].row.value or 0), default=None)  # type: ignore[union-attr]
        if best is None:
            continue
        score, blank = best.strict[0], next((b for b in table.lines if b.kind == "blank"), None)
        guess = ", ".join(f"{b.key[0]} {b.strict[0].value}" for b in table.baselines)
        of = f", best of {count(len(lines))}" if len(lines) > 1 else ""
        yield (
            f"{table.task}, {table.name}: {metric_name(table.main, table.spec)} {score.value} {score.interval} for "
            f"{' '.join(heading(best.key))}{of} (n {count(best.n or 0)}); without looking: {guess}"
            f"{f', blank pictures {blank.strict[0].value}' if blank else ''}."
        )
        yield from (f"{line}." for line in imputed_lines(table))
    worst = [e for e in _plain(_entries(view, "slices")) if e["worst"] is not None and e["gap"]]
    for entry in worst[:MOST_SHORT]:
        group = next(g for g in entry["groups"] if g["name"] == entry["worst"])
        yield (
            f"Worst by {entry['column']}: {group['name']}, {metric_name(entry['metric'])} {number(group['value'])} "
            f"{interval(group['low'], group['high'])} (n {count(group['n'])}); {gap_words(entry)} "
            f"({' '.join(heading(row_key(entry)))})."
        )
    refused, answered, trials = 0, 0, 0
    for entry in view.scores.outcomes:
        if not is_blank(entry["condition"]) and entry["field"] in _scored(view, entry["task"]):
            trials += sum(entry["counts"].values())
            refused += entry["counts"].get(Outcome.REFUSED.value, 0)
            answered += entry["counts"].get(Outcome.ANSWERED.value, 0)
    if trials:
        yield f"Answered: {percent(answered / trials)} of {count(trials)} trials. Refused: {percent(refused / trials)}."
    hosts = dict.fromkeys(where for _, where, _ in host_rows(view))
    yield f"Pictures were sent to: {listed(list(hosts))}."


def _measured(view: RunView) -> Iterator[Block]:
    cells = view.manifest["cells"]
    told = {
        "Models": [str(name) for name in view.manifest["models"]],
        "Prompts": list(dict.fromkeys(str(c["prompt"]) for c in cells if c["prompt"] != "-")),
        "Conditions": list(dict.fromkeys(str(c["condition"]) for c in cells)),
    }
    yield Lines(
        lines=(
            *_tasks(view),
            *(f"{kind} ({count(len(names))}): {_some(names)}" for kind, names in told.items() if names),
            meaning(view),
        )
    )  # fmt: skip


def _some(names: Sequence[str]) -> str:
    """The names, of many the first ones."""
    left = len(names) - MOST_NAMED
    return ", ".join(names) if left < 2 else f"{', '.join(names[:MOST_NAMED])} and {left} more"


def _tasks(view: RunView) -> Iterator[str]:
    for name, entry in view.manifest["tasks"].items():
        config = entry["config"]
        said = str(config.get("description") or "").rstrip(".")
        fields = listed([f for f, spec in view.tasks[name].fields.items() if spec.scored])
        source = config["source"].get("family")
        yield f"{name}: {f'{said}. ' if said else ''}Scored: {fields}. Source {source}; {sample_line(entry)}."


def _scores(tables: Sequence[ScoreTable]) -> Iterator[Block]:
    for table in tables:
        lines = [line for line in _shown(table) if line.strict[0].row is not None]
        yield Table(
            title=f"{table.task}: {table.name}",
            caption=f"{metric_name(table.main, table.spec)} with its 95% interval, a missing answer "
            f"{missing_said(table.main, kind_of(table.spec).family_name)}; "
            "baselines and blank pictures are what is reached without looking" + _unseen(lines),
            columns=("", "n", "Answered", metric_name(table.main, table.spec), "Against the baselines"),
            rows=tuple(_score_row(table, line) for line in lines[:MOST_ROWS]),
        )  # fmt: skip
        if lines[MOST_ROWS:]:
            yield Note(
                text=f"{count(len(lines) - MOST_ROWS)} more rows are in the report of the run."
            )


def _unseen(lines: Sequence[TableLine]) -> str:
    """What the mark beside numbers without spread means, where there are any."""
    rows = [line.strict[0].row for line in lines]
    return f". {UNSEEN_SAID}" if any(row and not row.spread for row in rows) else ""


def _shown(table: ScoreTable) -> list[TableLine]:
    """Baselines, then what was shown the pictures as they are, the best first, then blank pictures."""
    kinds = {"ceiling": 0, "baseline": 1, "model": 2, "blank": 3}
    mine = [
        line
        for line in table.lines
        if line.kind in kinds and (line.kind != "model" or line.key[2] == "none")
    ]
    mine = mine if any(line.kind == "model" for line in mine) else list(table.lines)
    return sorted(mine, key=lambda line: kinds.get(line.kind, 4))


def _score_row(table: ScoreTable, line: TableLine) -> Row:
    row = line.strict[0].row
    verdict, reason = table.against.get(line.key, ("", ""))
    told = {
        "above": "better than both",
        "not-above": "not shown to be better",
        "withheld": f"not judged: {reason}",
    }.get(verdict, "")
    role = {"baseline": "baseline", "ceiling": "ceiling", "blank": "blank"}.get(line.kind, "model")
    cells = (
        who(line.key, line.note),
        line.n,
        Share(row.coverage if row else None),
        measured(row),
        told or None,
    )
    return Row(cells, role)  # type: ignore[arg-type]


def _entries(view: RunView, key: str) -> list[Mapping[str, Any]]:
    """The rows of an analysis, without those of blank pictures."""
    return [row for row in view.scores.found.get(key, ()) if not is_blank(row["condition"])]


def _plain(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that were shown the pictures as they are, where there are any."""
    return [entry for entry in entries if entry["condition"] == "none"] or list(entries)


def _groups(view: RunView) -> Iterator[Block]:
    entries = _plain(_entries(view, "slices"))
    found = [entry for entry in entries if entry["worst"] is not None and entry["gap"]]
    if found:
        yield Table(
            caption="The groups of each annotation with the worst and the best score; the gap beside what groups that are "
            "equal in truth would show",
            columns=(
                "", "Field", "By", "Worst group", "Score", "Best group", "Score", "Gap", "By chance",
            ),
            rows=tuple(_group_row(entry) for entry in found[:MOST_ROWS]),
        )  # fmt: skip
    if found[MOST_ROWS:]:
        yield Note(
            text=f"{count(len(found) - MOST_ROWS)} more tables of groups are in the report of the run."
        )
    hidden = dict.fromkeys(
        f"{entry['column']} {small['name']} ({small['why']})"
        for entry in entries
        for small in entry["suppressed"]
    )
    if hidden:
        yield Note(text=f"Suppressed, so nothing is known of them: {listed(list(hidden))}.")
    if not found:
        yield Note(
            text="No two groups can be compared: whether some people are read less well is unknown.",
            warning=True,
        )


def _group_row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    by_name = {group["name"]: group for group in entry["groups"]}
    worst, best, gap = by_name[entry["worst"]], by_name[entry["best"]], entry["gap"]
    return (
        who(row_key(entry)), entry["field"], entry["column"], _sized(worst, entry["unit"]),
        Number(worst["value"], worst["low"], worst["high"]), _sized(best, entry["unit"]),
        Number(best["value"], best["low"], best["high"]), Number(gap["value"], gap["low"], gap["high"]),
        Number(gap["equal_groups"], digits=2),
    )  # fmt: skip


def _sized(group: Mapping[str, Any], unit: str) -> str:
    return f"{group['name']} (n {count(group['n'])}, {count(group['clusters'])} {unit}s)"


def _refusals(view: RunView) -> Iterator[Block]:
    outcomes = [
        e
        for e in view.scores.outcomes
        if not is_blank(e["condition"]) and e["field"] in _scored(view, e["task"])
    ]
    by_group: dict[tuple[Any, ...], list[tuple[float, str, int, int]]] = {}
    for entry in _entries(view, "slices"):
        for group in entry["groups"]:
            asked = sum(group["outcomes"].values())
            refused = group["outcomes"].get(Outcome.REFUSED, 0)
            by_group.setdefault((entry["task"], row_key(entry), entry["field"]), []).append(
                (refused / asked if asked else 0.0, f"{entry['column']} {group['name']}", refused, asked)
            )  # fmt: skip
    rows = []
    for entry in _plain(outcomes)[:MOST_ROWS]:
        asked, refused = (
            sum(entry["counts"].values()),
            entry["counts"].get(Outcome.REFUSED.value, 0),
        )
        others = asked - refused - entry["counts"].get(Outcome.ANSWERED.value, 0)
        groups = by_group.get((entry["task"], row_key(entry), entry["field"]), [])
        most = max(groups, default=None)
        told = None if most is None or not most[2] else f"{most[1]}: {percent(most[0])} ({count(most[2])} of {count(most[3])})"  # fmt: skip
        rows.append(
            (who(row_key(entry)), entry["field"], asked, Share(refused / asked if asked else None, refused),
             Share(others / asked if asked else None, others), told)
        )  # fmt: skip
    if rows:
        yield Table(
            caption="Of all trials; groups too small to be shown are in none of the last column",
            columns=(
                "",
                "Field",
                "Trials",
                "Refused",
                "Other non-answers",
                "Group that is refused most",
            ),
            rows=tuple(rows),
        )


def _scored(view: RunView, task: str) -> set[str]:
    return {name for name, spec in view.tasks[task].fields.items() if spec.scored}


def _robustness(view: RunView, tables: Sequence[ScoreTable]) -> Iterator[Block]:
    for table in tables:
        by_cell: dict[tuple[str, str], list[tuple[RowKey, Numbers]]] = {}
        block = view.blocks.get((table.task, table.slice, table.field), {})
        for line in table.lines:
            covered = line.key[2].startswith(("region", "cue:"))  # told with the cues
            if line.kind in {"model", "blank"} and line.key in block and not covered:
                by_cell.setdefault(line.key[:2], []).append((line.key, block))
        rows: list[Row] = []
        for cell, found in by_cell.items():
            if len(found) > 1:
                rows.append(Row((" · ".join(w for w in cell if w != "-"),), "heading"))
                for key, numbers in found:
                    row = numbers[key].get(table.main)
                    told = "as they are" if key[2] == "none" else key[2]
                    rows.append(Row((MarkedText(told), row.n if row else None, measured(row))))
        if rows:
            yield Table(
                title=f"{table.task}: {table.name}",
                caption="The same cells under other conditions. Paired differences with intervals: harness compare",
                columns=("Pictures", "n", metric_name(table.main, table.spec)),
                rows=tuple(rows[: 2 * MOST_ROWS]),
            )
        if rows[2 * MOST_ROWS :]:
            yield Note(
                text=f"{count(len(rows) - 2 * MOST_ROWS)} more rows are in the report of the run."
            )
    lines = [
        line
        for state in view.scores.tasks
        for line in (*order_lines(_as_they_are(state)), *consistency_lines(_as_they_are(state)))
    ]
    if lines:
        yield Lines(lines=tuple(lines[:MOST_ROWS]))
    elif not any(len({c["condition"] for c in view.cells(t)}) > 1 for t in view.tasks):
        yield Note(
            text="Pictures were shown in one way only: how much the answers depend on it is unknown.",
            warning=True,
        )


def _as_they_are(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Label orders and repeats of the cells that were shown the pictures as they are."""
    keys = ("label_orders", "consistency")
    return {key: [e for e in state.get(key, ()) if e["condition"] == "none"] for key in keys}


def _cues(blocks: Sequence[CueBlock]) -> Iterator[Block]:
    for block in blocks:
        if block.rows:
            yield Table(
                title=block.heading,
                columns=tuple(block.header),
                rows=tuple(tuple(row) for row in block.rows[:MOST_ROWS]),
                caption="; ".join((*block.lines, *block.remarks)),
            )
        elif block.lines:
            yield Lines(title=block.heading, lines=tuple(block.lines))
    if not blocks:
        yield Note(
            text="No cue was changed or covered and none was asked for: what the answers rest on is unknown."
        )


def _risk(view: RunView) -> Iterator[Block]:
    found = _plain(_entries(view, "risk_coverage"))
    if not found:
        yield Note(
            text="The answers have no confidence, so nothing tells which of them to leave to a person."
        )
        return
    yield risk_table(found[:MOST_ROWS], brief=True)
    yield from curves(found, most=MOST_CURVES)
    yield Lines(lines=tuple(_kept(found)))


def _kept(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What one threshold does to the groups of the first cell."""
    for entry in found[:1]:
        groups = [group for group in entry["groups"] if group["accuracy"] is not None]
        name = " · ".join(heading(row_key(entry)))
        for column in dict.fromkeys(group["column"] for group in groups):
            told = [
                f"{g['name']} {percent(g['kept'])} kept, {number(g['accuracy'])} right (n {count(g['n'])})"
                for g in groups
                if g["column"] == column
            ]
            yield f"{name}, one threshold that keeps 80% of all, by {column}: {'; '.join(told)}"
    yield "A threshold has to be chosen on other samples than those it is judged by: harness decide."


def _hosts(view: RunView) -> Iterator[Block]:
    yield Table(columns=("Model", "Pictures sent to", "Kept there"), rows=tuple(host_rows(view)))

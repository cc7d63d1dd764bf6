"""Spotted intervals of long videos: STRS and its parts, and what they say where the intervals were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import is_baseline, measured, prompt_on, who
from harness.analyses.rows.given_spots import given_rows
from harness.analyses.rows.spotting import COMPAT, FIELD, spotting_rows
from harness.analyses.spot_lines import BRIEF, COUNTS, SHOWN, spot_lines
from harness.analyses.words import number
from harness.core.blocks import Block, Lines, Note, Number, Preformatted, Row, Table, Who
from harness.core.task import Task
from harness.core.text import counted
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow

PERFECT = "perfect recogniser"
STRS = "strs"


def _applies(task: Task) -> bool:
    return task.spotting is not None


def _compute(answers: TaskAnswers) -> Iterator[Any]:
    yield from spotting_rows(answers.records, answers.cells, answers.fits, seed=answers.seed)
    yield from given_rows(answers.records)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    spots = [row for row in beside.scores if row.field == FIELD]
    if not spots:
        return
    yield Preformatted(lines=tuple(spot_lines(spots, whole=False)), room="little")
    given = rows[0] if rows else None
    if given is not None:
        yield _warned(given, beside.task.spotting.field if beside.task.spotting else "")
        yield Lines(lines=tuple(_about(given)))
    found: dict[tuple[str, str, str], dict[str, ScoreRow]] = {}
    for row in spots:
        key = (row.model, prompt_on(row.prompt, row.channel), row.condition)
        found.setdefault(key, {})[row.metric] = row
    yield Table(
        room="much",
        caption="Strict scores with 95% intervals over subjects; compat STRS as the reference implementation gives it",
        columns=(
            "",
            "Videos",
            *(name for _, name in SHOWN),
            " / ".join(name for _, name in COUNTS),
            "Compat STRS",
        ),
        rows=tuple(
            Row(
                (
                    who(key),
                    metrics["strs"].n,
                    *(measured(metrics[name]) for name, _ in SHOWN),
                    " / ".join(f"{metrics[name].value or 0:.0f}" for name, _ in COUNTS),
                    Number(metrics["strs" + COMPAT].value),
                ),
                "baseline" if is_baseline(key) else "model",
            )
            for key, metrics in found.items()
        )
        + (() if given is None else (_ceiling(given),)),
    )
    published = tuple(_published(beside.task.name))
    if published:
        yield _published_table(published)


def _warned(given: Mapping[str, Any], field: str) -> Note:
    """The sentence without which the scores of a run over given intervals mislead."""
    if given["perfect"]:
        return Note(
            text="no spotter was used, so F1 spotting is 1. STRS is what each recogniser would reach with a perfect spotter: a "
            "ceiling, not a result of spotting.",
            title="True intervals", warning=True,
        )  # fmt: skip
    return Note(
        text=f"the scores of {field} are recognition of {counted(given['matched'], 'interval')}, those that match one of "
        f"the {counted(given['true'], 'true interval')}; movements that were missed are not in them. F1 spotting is "
        f"{number(given['ceiling']['f1_spotting'])}; STRS, F1 spotting times F1 analysis, is in section Spotting.",
        title="Recognition of matched intervals alone", warning=True,
    )  # fmt: skip


def _about(given: Mapping[str, Any]) -> Iterator[str]:
    """What has to be known to read the three numbers."""
    best = given["ceiling"]
    if not given["perfect"]:
        idle = f" ({counted(given['videos_without'], 'video')} without any)"
        yield (
            f"Intervals: {given['origin']}, spotted before the run: {given['intervals']:,} in "
            f"{counted(given['videos'], 'video')}{idle if given['videos_without'] else ''}, with {given['matched']:,} that "
            f"match a true one (IoU of .5 or more). F1 spotting is the spotter's, and the same in every row."
        )
        yield (
            f"STRS is F1 spotting times F1 analysis (recognition), at most {number(best['strs'])} with these intervals. What "
            "the recogniser would reach with a perfect spotter: the same command with --spots truth."
        )
    if given["never_spotted"]:
        yield (
            f"No matched interval shows {', '.join(given['never_spotted'])}: F1 analysis, a mean over the true emotions, is "
            f"at most {number(best['f1_analysis'])}."
        )


def _ceiling(given: Mapping[str, Any]) -> Row:
    """A recogniser that is always right, on these intervals."""
    best = given["ceiling"]
    values = [Number(best.get(name)) for name, _ in SHOWN]
    counts = (
        given["matched"],
        given["intervals"] - given["matched"],
        given["true"] - given["matched"],
    )
    told = " / ".join(map(str, counts))
    name = Who(PERFECT, note="the true emotion of every interval")
    return Row((name, given["videos"], *values, told, Number(None)), "ceiling")


def _published(task: str) -> Iterator[tuple[str, str, Mapping[str, float]]]:
    """System, set and values of the published numbers of a task."""
    from harness.run.published import published_folder, read_published  # brings their models

    for file in read_published(published_folder()):
        for table in file.tables:
            if table.setting.task == task and any(STRS in row.values for row in table.rows):
                yield from ((row.system, table.setting.set, row.values) for row in table.rows)


def _published_table(rows: Sequence[tuple[str, str, Mapping[str, float]]]) -> Table:
    return Table(
        title="Published",
        caption="Leaderboards of ME-STR: the challenge's own test videos and its own scorer (compat). They stand beside, they "
        "are not comparable with other videos",
        columns=("System", "Set", "STRS", "F1 spotting", "F1 analysis"),
        rows=tuple(
            (system, where, *(Number(values.get(name), digits=2) for name in BRIEF))
            for system, where, values in rows
        ),
    )  # fmt: skip


ANALYSIS = ShippedAnalysis(
    name="spotting",
    title="Spotting",
    about="tasks with `spotting`: STRS, and F1 of spotting and of the emotions of spotted intervals",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="given_spots",
    sparse=True,
    order=72,
)

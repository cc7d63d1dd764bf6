"""Scoring a run folder: records.parquet and scores.json, from the journal alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.metrics import LabelFamily
from harness.run.besides import Besides, read_besides, write_besides
from harness.run.cell_entry import cell_of, is_kept
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.manifest import refuse_export
from harness.run.mix_pairing import read_partners
from harness.run.scoring import scored_manifest
from harness.run.usage import USAGE, usage_rows
from harness.score.analysis import TaskAnswers, shipped
from harness.score.baselines import read_fits
from harness.score.columns import FieldAnswers, group
from harness.score.outside_analyses import computed
from harness.score.rankings import read_rankings
from harness.score.records import (
    BY_PLATFORM,
    FAILED,
    TaskRecords,
    load_samples,
    read_cell,
    write_records,
)
from harness.score.repeats import family_of
from harness.score.replies import Replies
from harness.score.table import ScoreRow
from harness.score.votes import Votes, read_soft_truths

SCHEMA = 1

AT_LIMIT = 0.02
"""Share of replies that may end at the token limit before it is told."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores.json holds."""

    scores: tuple[ScoreRow, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    """Counts of trials by outcome for each cell and field, and of the failed ones by kind of failure."""
    confusions: tuple[Mapping[str, Any], ...]
    """Classes and counts (true by answered, last column: no class) for each cell, label field and part."""
    tasks: tuple[Mapping[str, Any], ...]
    """For each task: samples, clusters, cluster unit, pending trials, slices left out, and the rows of the analyses
    that stand there under their keys (`harness.score.analysis.Shipped.in_task`)."""
    found: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Key -> rows of the shipped analyses that stand at the top, such as `slices`."""
    analyses: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Name -> entries of the analyses of other packages: `task`, `package`, and `rows` or why it `failed`."""
    beside: Besides = field(default_factory=dict)
    """What beside.json holds and scores.json does not, such as the rows of `harness.run.usage`."""

    def to_json(self) -> bytes:
        """The bytes of scores.json: the same for the same journal."""
        body = {
            "schema": SCHEMA,
            "parser": PARSER_VERSION,
            "scores": [asdict(row) for row in self.scores],
            "outcomes": list(self.outcomes),
            "confusions": list(self.confusions),
            "tasks": list(self.tasks),
            **{key: list(rows) for key, rows in self.found.items()},
        }
        if self.analyses:
            body["analyses"] = {name: list(entries) for name, entries in self.analyses.items()}
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode(
            "utf-8", "surrogatepass"
        )


def read_scores(folder: RunFolder) -> Scores:
    """The scores of scores.json. Raises HarnessError when the file is broken."""
    try:
        body = json.loads(folder.scores.read_bytes().decode("utf-8", "surrogatepass"))
        keys = [a.key for a in shipped() if a.key and not a.in_task]
        return Scores(
            scores=tuple(ScoreRow(**row) for row in body["scores"]),
            outcomes=tuple(body["outcomes"]),
            confusions=tuple(body["confusions"]),
            tasks=tuple(body["tasks"]),
            found={key: tuple(body.get(key, ())) for key in keys},
            analyses={name: tuple(found) for name, found in body.get("analyses", {}).items()},
            beside=read_besides(folder),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{folder.scores} cannot be read: {error}",
            hint="score the run again: harness score RUN",
        ) from None


def score_run(folder: RunFolder, *, before_writing: Callable[[], None] = lambda: None) -> Scores:
    """Read the journal, write records.parquet and scores.json, return the scores.

    Both files are replaced once everything is computed; `before_writing` is called just before. Raises HarnessError
    for a folder that is no run, a broken journal line, or a full disk; the files are then as they were.

    An analysis of another package that fails is told in `Scores.analyses` and changes nothing else.
    """
    unfinished = folder.records.with_name(".records.parquet.new")
    try:
        scores = _compute(folder, unfinished)
        before_writing()
        unfinished.replace(folder.records)
    except OSError as error:
        raise write_error(folder.records, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    write_besides(folder, scores.beside)
    write_atomically(folder.scores, scores.to_json())
    return scores


def _compute(folder: RunFolder, unfinished: Path) -> Scores:
    """The scores; the records are written to `unfinished`."""
    manifest = scored_manifest(folder)
    refuse_export(manifest, folder.path)
    heads = {n: PromptHead.model_validate(p["head"]) for n, p in manifest["prompts"].items()}
    cells = [cell_of(entry) for entry in manifest["cells"]]
    tasks = {n: Task.model_validate(t["config"]) for n, t in manifest["tasks"].items()}
    records = {
        name: load_samples(folder, tasks[name], cluster_unit=entry["cluster_unit"])
        for name, entry in manifest["tasks"].items()
    }
    for entry in manifest["cells"]:
        if most := entry.get("sampling", {}).get("max_tokens"):
            records[entry["task"]].limits[entry["id"]] = most
    # Cell by cell in the order of their ids, which is the order of trials: nothing is held to be sorted.
    write_records(
        unfinished,
        (
            row
            for cell, replies, repeats in _in_order(folder, manifest)
            for row in read_cell(
                records[cell.task], cell, heads[cell.prompt], replies, repeats=repeats
            )
        ),
    )
    scores = _joined(
        [_score_task(answers) for answers in _answers(folder, manifest, records, cells, unfinished)]
    )
    return replace(scores, beside={USAGE: tuple(usage_rows(folder, manifest))})


def _in_order(
    folder: RunFolder, manifest: Mapping[str, Any]
) -> Iterator[tuple[Cell, Replies, int]]:
    """Each cell in the order of trials, what became of its trials, and its repeats. Earlier versions come last."""
    standing = Replies.of_run(folder, manifest)
    entries = sorted(manifest["cells"], key=lambda entry: (entry.get("asked_as", ""), entry["id"]))
    for entry in entries:
        replies = standing
        if entry.get("asked_as"):
            replies = Replies.of_version(folder, manifest, entry)
        yield cell_of(entry), replies, int(entry.get("repeats", manifest.get("repeats", 1)))


def _answers(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    records: Mapping[str, TaskRecords],
    cells: Sequence[Cell],
    records_file: Path,
) -> Iterator[TaskAnswers]:
    """What the analyses of each task read."""
    fits = read_fits(folder, {name: found.task for name, found in records.items()})
    rankings = read_rankings(folder, manifest)
    partners = read_partners(folder, manifest)
    for name, found in records.items():
        yield TaskAnswers(
            records=found,
            groups=group(found),
            cells=tuple(cell for cell in cells if cell.task == name),
            named={
                cell_of(e): e["trials"]
                for e in manifest["cells"]
                if not is_kept(e) and "trials" in e
            },
            fits=fits.get(name, {}),
            rankings=rankings,
            votes=Votes(read_soft_truths(folder.scored_samples(name), found.task), partners),
            seed=int(manifest["seeds"]["bootstrap"]),
            records_file=records_file,
            samples_file=folder.scored_samples(name),
        )


def _score_task(answers: TaskAnswers) -> Scores:
    """The scores of one task: what every shipped analysis gives under its key, then those of other packages."""
    records, groups = answers.records, answers.groups
    scores: list[ScoreRow] = []
    inside: dict[str, list[Mapping[str, Any]]] = {}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for analysis in shipped():
        rows: list[Mapping[str, Any]] = []
        for row in analysis.compute(answers) if analysis.applies(answers.task) else ():
            if isinstance(row, ScoreRow):
                scores.append(row)
            else:
                rows.append(row)
        if analysis.key:
            (inside if analysis.in_task else found)[analysis.key] = rows
    brought: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for name, entry in computed(answers):
        brought[name] = (*brought.get(name, ()), entry)
    summary = {
        "task": records.task.name,
        "samples": len(records.samples),
        "clusters": int(groups.clusters.max(initial=-1)) + 1,
        "cluster_unit": records.cluster_unit,
        "pending": _pending(answers),
        "left_out": list(groups.left_out),
        **_without_truth(records),
        **inside,
    }
    asked = list(_asked(answers))
    if asked:
        summary["asked"] = asked
    return Scores(
        scores=tuple(scores),
        outcomes=tuple(_outcomes(records, answers.cells)),
        confusions=tuple(entry for column in answers.columns for entry in _confusions(column)),
        tasks=(summary,),
        found={key: tuple(rows) for key, rows in found.items()},
        analyses=brought,
    )


def _pending(answers: TaskAnswers) -> int:
    """Trials that the last command asked for and that are not finished."""
    records = answers.records
    left = 0
    for cell, asked in answers.named.items():
        pending = records.pending.get(cell, 0)
        finished = records.trials.get(cell, 0) - pending
        left += min(pending, max(0, asked - finished))
    return left


def _asked(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    """The cells of which some samples were never asked: by a limit, or by a command that was stopped."""
    records = answers.records
    for cell in answers.cells:
        pending, trials = records.pending.get(cell, 0), records.trials.get(cell, 0)
        if 0 < pending < trials:
            yield {
                "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
                "channel": cell.taken, "asked": trials - pending, "of": trials,
            }  # fmt: skip


def _without_truth(records: TaskRecords) -> dict[str, dict[str, int]]:
    """Scored fields that some of the samples asked have no true value for -> how many; nothing where all have."""
    samples = records.samples
    found: dict[str, int] = {}
    for name, spec in records.task.fields.items():
        asked, known = samples.asking(name), samples.known(name)
        missing = int(np.count_nonzero(asked & ~known))
        if spec.scored and 0 < missing < np.count_nonzero(asked):
            found[name] = missing
    return {"without_truth": found} if found else {}


def _joined(tasks: Sequence[Scores]) -> Scores:
    """The scores of all tasks as those of the run."""
    found: dict[str, tuple[Mapping[str, Any], ...]] = {
        a.key: () for a in shipped() if a.key and not a.in_task
    }
    brought: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for task in tasks:
        for key, rows in task.found.items():
            found[key] = (*found[key], *rows)
        for name, entries in task.analyses.items():
            brought[name] = (*brought.get(name, ()), *entries)
    return Scores(
        scores=tuple(row for task in tasks for row in task.scores),
        outcomes=tuple(entry for task in tasks for entry in task.outcomes),
        confusions=tuple(entry for task in tasks for entry in task.confusions),
        tasks=tuple(entry for task in tasks for entry in task.tasks),
        found=found,
        analyses=dict(sorted(brought.items())),
    )


def _confusions(column: FieldAnswers) -> Iterator[Mapping[str, Any]]:
    """Confusion counts on whole slices of label fields; of samples asked several times, of every repeat."""
    if not column.spec.categorical:
        return
    families = [family_of(column.spec, column.truth, answers) for answers in column.repeats]
    task, model, prompt, condition = column.names
    for name, mask in column.slices:
        if "=" not in name:
            tables = [f.confusion(select=mask) for f in families if isinstance(f, LabelFamily)]
            counted = np.sum([table.counts for table in tables], axis=0)
            classes, counts = _occurring(tables[0].classes, counted)
            yield {
                "task": task, "model": model, "prompt": prompt, "condition": condition,
                "channel": column.channel, "slice": name, "field": column.field, "classes": classes, "counts": counts,
            }  # fmt: skip


def _occurring(
    classes: Sequence[str], counts: NDArray[np.int64]
) -> tuple[list[str], list[list[int]]]:
    """The table without classes that a part neither holds nor receives."""
    keep = [i for i in range(len(classes)) if counts[i].any() or counts[:, i].any()]
    return [classes[i] for i in keep], counts[np.ix_(keep, [*keep, len(classes)])].tolist()


def _outcomes(records: TaskRecords, cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    for cell in cells:
        for name in records.task.fields:
            answers = records.answers.get((cell, name))
            if answers:
                counted, failures = Counter[Outcome](), Counter[str]()
                by_platform = 0
                for column in records.of_repeats(cell, name):
                    for answer, times in column.counts():
                        counted[answer.outcome] += times
                        if answer.rule == BY_PLATFORM:
                            by_platform += times
                        if times and answer.outcome is Outcome.FAILED:
                            failures[answer.rule.removeprefix(FAILED)] += times
                yield {
                    "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                    "condition": cell.shown_condition, "channel": cell.taken, "field": name,
                    "counts": {o.value: counted[o] for o in Outcome if counted[o]},
                    "failures": dict(sorted(failures.items())),
                    **_refused_by(counted[Outcome.REFUSED], by_platform),
                    **_at_limit(records, cell),
                }  # fmt: skip


def _refused_by(refused: int, platform: int) -> dict[str, dict[str, int]]:
    """Who refused, where a platform did; else the model did in every case."""
    if not platform:
        return {}
    return {"refused_by": {"model": refused - platform, "platform": platform}}


def _at_limit(records: TaskRecords, cell: Cell) -> dict[str, dict[str, int]]:
    """How many replies ended at the token limit, where that is more than a few."""
    ended = records.cut.get(cell, Counter())
    if ended[True] <= AT_LIMIT * ended.total():
        return {}
    told = {"replies": ended[True], "of": ended.total()}
    return {"at_limit": told | {"tokens": records.limits.get(cell.id, 0)}}

"""Score a run folder: records.parquet and scores.json, from the journal alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.cell import Cell
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.run.adapter_folds import ANNOTATION, folded_models
from harness.run.cell_entry import cell_of, is_kept
from harness.run.extras import write_extras
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.manifest import refuse_export
from harness.run.mix_pairing import read_partners
from harness.run.scoring import scored_manifest
from harness.run.unfinished import unfinished
from harness.run.usage import USAGE, UsageReader, usage_rows
from harness.score.again import AGAIN, again_rows
from harness.score.analysis import TaskAnswers, shipped
from harness.score.baselines import read_fits
from harness.score.cell_records import read_cell
from harness.score.columns import group
from harness.score.outside_analyses import computed
from harness.score.rankings import read_rankings
from harness.score.records import TaskRecords, load_samples, write_records
from harness.score.reference import reference_of
from harness.score.replies import Replies
from harness.score.scores import Scores
from harness.score.table import ScoreRow
from harness.score.tallies import confusions_of, outcomes_of
from harness.score.votes import Votes, read_soft_truths


def score_run(folder: RunFolder, *, before_writing: Callable[[], None] = lambda: None) -> Scores:
    """Read the journal, write records.parquet and scores.json, return the scores.

    Both files are replaced once everything is computed; `before_writing` is called just before. Raises HarnessError
    for a folder that is no run, a broken journal line, or a full disk; the files are then as they were.

    An analysis of another package that fails is told in `Scores.analyses` and changes nothing else.
    """
    records = unfinished(folder.records)
    try:
        scores = _compute(folder, records)
        before_writing()
        records.replace(folder.records)
    except OSError as error:
        raise write_error(folder.records, error) from None
    finally:
        with contextlib.suppress(OSError):
            records.unlink(missing_ok=True)
    write_extras(folder, scores.extras)
    write_atomically(folder.scores, scores.to_json())
    return scores


def _compute(folder: RunFolder, unfinished: Path) -> Scores:
    """The scores; the records are written to `unfinished`."""
    manifest = scored_manifest(folder)
    refuse_export(manifest, folder.path)
    heads = {n: PromptHead.model_validate(p["head"]) for n, p in manifest["prompts"].items()}
    cells = [cell_of(entry) for entry in manifest["cells"]]
    tasks = {n: Task.model_validate(t["config"]) for n, t in manifest["tasks"].items()}
    folded = folded_models(manifest)
    also = (ANNOTATION,) if folded else ()
    records = {
        name: load_samples(folder, tasks[name], cluster_unit=entry["cluster_unit"], also=also)
        for name, entry in manifest["tasks"].items()
    }
    for entry in manifest["cells"]:
        if most := entry.get("sampling", {}).get("max_tokens"):
            records[entry["task"]].limits[entry["id"]] = most
    usage = UsageReader(folder, manifest)
    # Cell by cell in the order of their ids, which is the order of trials: nothing is held to be sorted.
    write_records(
        unfinished,
        (
            row
            for cell, replies, repeats in _in_order(folder, manifest, usage)
            for row in read_cell(
                records[cell.task],
                cell,
                heads[cell.prompt],
                replies,
                repeats=repeats,
                folded=cell.model in folded,
            )
        ),
        folds=bool(folded),
        thinking=any(cell.thinking for cell in cells),
        tools=any(cell.tools for cell in cells),
    )
    scores = _joined(
        [_score_task(answers) for answers in _answers(folder, manifest, records, cells, unfinished)]
    )
    anew = tuple(again_rows(folder, manifest, records, heads))
    used = tuple(usage_rows(manifest, usage.found()))
    return replace(scores, extras={USAGE: used, **({AGAIN: anew} if anew else {})})


def _in_order(
    folder: RunFolder, manifest: Mapping[str, Any], usage: UsageReader
) -> Iterator[tuple[Cell, Replies, int]]:
    """Each cell in the order of trials, what became of its trials, and its repeats. Earlier versions come last.

    `usage` counts what the replies took, of earlier versions too.
    """
    standing = Replies.of_run(folder, manifest, usage=usage)
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
            reference=reference_of(manifest),
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
        if analysis.key and (rows or not analysis.sparse):
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
        outcomes=tuple(outcomes_of(records, answers.cells)),
        confusions=tuple(entry for column in answers.columns for entry in confusions_of(column)),
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
        a.key: () for a in shipped() if a.key and not a.in_task and not a.sparse
    }
    brought: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for task in tasks:
        for key, rows in task.found.items():
            found[key] = (*found.get(key, ()), *rows)
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

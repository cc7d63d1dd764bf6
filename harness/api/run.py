"""A run on disk, as returned by `harness.open_run` and `harness.evaluate`."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from harness.api.keywords import known_keywords
from harness.core.errors import HarnessError
from harness.core.outcome import Outcome
from harness.core.task import Task
from harness.run.folder import RunFolder, write_atomically
from harness.run.folder import open_run as open_folder
from harness.run.scoring import scored_manifest

if TYPE_CHECKING:
    import pandas as pd

    from harness.report.inputs import RunView
    from harness.score.scores import Scores

Pair: TypeAlias = Sequence[str] | None


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """A run folder: its scores, records and samples as pandas DataFrames, and what can be done with it.

    Everything is read from the folder when it is asked for, so that two views of one folder never differ. Columns of
    few words (task, model, prompt, condition, channel, slice, field, metric, outcome) are categories; numbers are
    float64, NaN where there is none; counts int64; other texts pandas' `str`.
    """

    path: Path
    """The run folder, absolute."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was said while it was evaluated: notes, warnings, failures. Empty where it was opened."""

    @property
    def manifest(self) -> dict[str, Any]:
        """manifest.json as plain values, its tasks as they are scored now. Raises HarnessError where it is broken."""
        return scored_manifest(self._folder)

    @property
    def tasks(self) -> dict[str, Task]:
        """Name -> task, its labels fixed, as it is scored now. Raises HarnessError where the manifest is broken."""
        entries = self.manifest["tasks"]
        return {name: Task.model_validate(entry["config"]) for name, entry in entries.items()}

    def scores(self) -> pd.DataFrame:
        """One row a score: baselines, then every cell, on every slice.

        Columns: task, model, prompt, condition, channel, slice (`all`, a part, or `column=value`), field, metric
        (`..._answered`: over answered samples only), value, low and high (bounds of the 95% interval), n (samples),
        coverage (0 to 1: share of samples answered), estimator (how it was computed). Units and ranges of `value` are
        those of the metric (`harness list metrics`).

        Earlier versions of an edited prompt stand here too, each under a name of its own. A run that was not scored since
        its last reply is scored first. Raises HarnessError for a broken folder.
        """
        from harness.api.frames import scores_frame

        return scores_frame(self._all(self._view()).scores)

    def records(self) -> pd.DataFrame:
        """One row a trial and field: what was answered, and what is true.

        Columns: trial, task, model, prompt, condition, protocol, channel, sample, repeat (from 0), cluster, part,
        field, outcome (answered, refused, unparsed, off-list, ambiguous, truncated, empty, failed), value and target
        (a label str, a set of names tuple of str, a number float, yes or no bool, else None), rule (which rule read
        the answer), text (the reply), failure, fallback, and where labels were scored estimator, probabilities
        (label -> share, 0 to 1), captured_mass (0 to 1), length_normalised (the label), and conversation (its name in
        conversations.jsonl). Where a model has an adapter for each fold, fold is the one that was asked. Pending trials have no row.

        Raises HarnessError for a broken folder.
        """
        from harness.api.frames import records_frame
        from harness.score.records import read_records

        view = self._view()
        return records_frame(read_records(self._folder), view.tasks)

    def outcomes(self) -> pd.DataFrame:
        """One row a cell, field and outcome that occurs.

        Columns: task, model, prompt, condition, channel, field, outcome, n (trials), share (0 to 1, of the cell's
        finished trials), failures (kind of failure -> number, of failed ones). Raises HarnessError for a broken
        folder.
        """
        from harness.api.frames import outcomes_frame

        return outcomes_frame(self._all(self._view()).outcomes)

    def samples(self, task: str | None = None) -> pd.DataFrame:
        """One row a sample of a task, which need not be named where the run has one.

        Columns: sample, cluster, question, asks (tuple of fields), media (tuple of paths or names, frames in order of
        time),
        `target.FIELD` (as in `records`, None where the truth is not known) and `annotation.NAME`. Raises HarnessError
        for a task that the run does not have.
        """
        from harness.api.frames import samples_frame
        from harness.run.sample_file import read_samples

        tasks = self._named(task)
        if len(tasks) > 1:
            raise HarnessError("which task?", hint=f"tasks of the run: {', '.join(tasks)}")
        ((name, one),) = tasks.items()
        return samples_frame(list(read_samples(self._folder.scored_samples(name))), one)

    def cells(self) -> pd.DataFrame:
        """One row a cell: what was put to which model how.

        Columns: cell (its id), task, model, prompt (an earlier version of an edited prompt has its date and digest
        behind its name, and the same id), condition, protocol, channel, trials (planned), done (finished, failed ones
        included), failed. Raises HarnessError for a broken folder.
        """
        from harness.api.frames import cells_frame, trial_cell
        from harness.score.records import read_records

        view = self._view()
        cells = view.all_cells or view.manifest["cells"]
        ended = {
            (trial_cell(row), row["trial"]): row["outcome"] == Outcome.FAILED.value
            for row in read_records(self._folder)
        }
        done = Counter(cell for cell, _ in ended)
        failed = Counter(cell for (cell, _), bad in ended.items() if bad)
        return cells_frame(cells, done, failed)

    def failed(self) -> pd.DataFrame:
        """The rows of `records` whose trial failed; `failure` says why. `evaluate` with the same options asks them again."""
        records = self.records()
        return records[records["outcome"] == Outcome.FAILED.value].reset_index(drop=True)

    @known_keywords
    def compare(
        self,
        other: Run | str | PathLike[str] | None = None,
        *,
        model: Pair = None,
        prompt: Pair = None,
        condition: Pair = None,
        channel: Pair = None,
        protocol: Pair = None,
        label_order: Pair = None,
        thinking: Pair = None,
        tools: Pair = None,
        pixels: Pair = None,
        detail: Pair = None,
        by: Literal["id", "content"] = "id",
        unlike: bool = False,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Paired differences over the samples that both of a pair answered, as `harness compare` finds them.

        `run.compare(prompt=("emotion/plain", "emotion/defined"))` compares cells that differ in this one axis, the
        first named less the second; `run.compare(other)` the cells of two runs; without either, all cells of the run
        that differ in one thing. Samples are paired `by` their ids, or by the bytes of their pictures
        (`content`). `unlike` compares although more differs, which `unlike` then names in each row;
        `seed` is that of everything drawn.

        Returns:
            One row a metric, class (recall) and slice of each pair. Columns: task, field, slice, axis, a_run, a_model,
            a_prompt, a_condition, a_channel and the same of b, what (metric, class, slice), of (its name), a and b (values
            over the shared samples), difference (a - b), low and high (its 95% interval), p (two-sided), p_holm and
            p_bh (adjusted), n (samples), clusters, only_a and only_b (samples that one alone has right), test,
            interval and reason (how p and interval were made, or why there is none), unlike. `attrs["notes"]` holds
            what else was noticed.

        Raises:
            HarnessError: where nothing can be paired, a name is unknown, or more differs than what is under test.
        """
        from harness.api.comparing import compare_runs

        axes = {
            "model": model, "prompt": prompt, "condition": condition, "channel": channel, "protocol": protocol,
            "label order": label_order, "thinking": thinking, "tools": tools, "pixels": pixels, "detail": detail,
        }  # fmt: skip
        second = None if other is None else (other if isinstance(other, Run) else open_run(other))
        folders = [self._folder] if second is None else [self._folder, second._folder]
        return compare_runs(folders, axes, by=by, unlike=unlike, seed=seed)

    @known_keywords
    def rescore(
        self,
        *,
        metrics: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        slices: str | Sequence[str] | None = None,
        truths: pd.DataFrame | str | PathLike[str] | Mapping[str, Any] | None = None,
        refresh: bool = False,
        source: Mapping[str, object] | None = None,
        fields: Mapping[str, Mapping[str, object]] | None = None,
        set: Mapping[str, object] | None = None,
        task: str | None = None,
        reference: str | None = None,
    ) -> Run:
        """Score the run otherwise than it was asked; no model is needed and no reply is touched.

        Without arguments it is scored as it was asked.

        Args:
            metrics: a list goes to every field that has these metrics; or field -> metrics.
            slices: annotations (or fields) by which scores are broken down.
            truths: corrected truths: a table file or DataFrame with a column `sample` and one for each corrected
                field, sample -> field -> value, or sample -> value where the run has one field.
            refresh: whether truths and annotations are read again from the source, with any `source` options.
            source: source options, with `refresh`.
            fields: field -> key -> value: metrics, scored, synonyms, definitions, tolerance.
            set: any other change that concerns scoring alone, by dotted path: folds, cluster, parts.
            task: the one task that this concerns; default: each that it fits.
            reference: the model that mean corruption errors are relative to; default: every other model in turn.

        Returns:
            The run with its new scores.

        Raises:
            HarnessError: for an unknown metric, field, sample or key, and for what would change what was asked; the
                folder is then as it was.
        """
        from harness.api.changes import changes
        from harness.api.rescoring import metric_changes, truths_file
        from harness.run.workspace import open_workspace
        from harness.score.rescore import Rescoring, rescore

        tasks = self._named(task)
        made = () if metrics is None else changes(fields=metric_changes(metrics, tasks))
        if slices is not None:
            made += changes(set={"slices": [slices] if isinstance(slices, str) else list(slices)})
        made += changes(source=source, fields=fields, set=set)
        with tempfile.TemporaryDirectory(prefix="harness-truths-") as scratch:
            file = None if truths is None else truths_file(truths, tasks, Path(scratch))
            asked = Rescoring(made, file, refresh, task, reference=reference)
            if task is not None and not asked.of_tasks:
                raise HarnessError(
                    "task has no effect without a change", hint="also pass what to change"
                )
            with self._folder.locked():
                rescore(self._folder, asked, open_workspace(Path.cwd()))
        return Run(self.path)

    def report(self, path: str | PathLike[str] | None = None) -> Path:
        """Write the report and return its path: report.html in the run folder, or `path` (.html, .md or .json).

        Raises HarnessError for another ending, a broken folder, or a full disk.
        """
        from harness.report.concealed import concealed
        from harness.report.document import json_bytes, run_markdown
        from harness.report.page import render

        target = self._folder.report if path is None else Path(path)
        drawn = {
            ".html": lambda view: concealed(render(view), view.manifest).encode("utf-8"),
            ".md": lambda view: concealed(run_markdown(view), view.manifest).encode(
                "utf-8", "replace"
            ),
            ".json": json_bytes,
        }.get(target.suffix.lower())
        if drawn is None:
            raise HarnessError(f"{target}: not a report format", hint=f"write {target}.html")
        write_atomically(target, drawn(self._view()))
        return target

    def __repr__(self) -> str:
        """Path, tasks, models and trials; of a folder that cannot be read the path alone."""
        try:
            manifest = self.manifest
        except HarnessError:
            return f"Run({str(self.path)!r})"
        trials = sum(int(cell["trials"]) for cell in manifest["cells"])
        said = [", ".join(manifest["tasks"]), ", ".join(manifest["models"]) or "baselines alone"]
        return f"<Run {str(self.path)!r}: {'; '.join(said)}; {trials:,} trials>"

    def _repr_html_(self) -> str:
        """The main scores, for a notebook; everything escaped. Raises HarnessError for a broken folder."""
        from harness.api.html import run_html

        return run_html(self._view())

    def _named(self, task: str | None) -> dict[str, Task]:
        """All tasks, or the one named. Raises HarnessError where the run does not have it."""
        tasks = self.tasks
        if task is not None and task not in tasks:
            raise HarnessError(
                f"the run has no task {task!r}", hint=f"tasks of the run: {', '.join(tasks)}"
            )
        return tasks if task is None else {task: tasks[task]}

    @property
    def _folder(self) -> RunFolder:
        return open_folder(self.path)

    @staticmethod
    def _all(view: RunView) -> Scores:
        """The scores with those of earlier versions of edited prompts."""
        return view.all_scores or view.scores

    def _view(self) -> RunView:
        """The run with its scores, scored first where they are older than the replies."""
        from harness.report.inputs import is_scored, read_run

        folder = self._folder
        if is_scored(folder):
            return read_run(folder)
        with folder.locked():
            return read_run(folder)


def open_run(path: str | PathLike[str]) -> Run:
    """The run in the folder `path`, which `harness run` or `evaluate` wrote, or which was written from predictions.

    Raises HarnessError for a folder that is none, a broken manifest, and an export, which has no journal.
    """
    from harness.run.manifest import refuse_export

    folder = open_folder(Path(path))
    refuse_export(scored_manifest(folder), folder.path)
    return Run(Path(path).absolute())

"""Score a finished run with other metrics, slices or clusters, or with corrected truths.

Nothing is asked again and no reply is touched. What is scored differently is written to `private/scoring/`
(`harness.run.scoring`) once the new scores are there; until then the folder stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.task import SUBJECT, Task
from harness.core.text import digest_file
from harness.run.basis import may_define
from harness.run.folder import RunFolder, write_error
from harness.run.manifest import read_manifest, refuse_export
from harness.run.media_clusters import MediaClusters
from harness.run.sample_file import PlannedSample, read_samples, write_rows
from harness.run.samples import Planner, settled
from harness.run.scoring import concerns_scoring, put_in_place, shown_as, write_scoring
from harness.run.task_files import changed_task, split_change
from harness.run.unfinished import working_folder
from harness.run.workspace import Workspace
from harness.score.folder import score_run
from harness.score.reference import chosen_reference
from harness.score.scores import Scores
from harness.sources import open_source
from harness.sources.sidecar import Beside, SidecarOptions, read_side


@dataclass(frozen=True, slots=True)
class Rescoring:
    """How a run is to be scored, where that differs from how it was asked."""

    changes: tuple[str, ...] = ()
    """`fields.emotion.metrics=[uar, kappa]`, `slices=[gender]`: as `--set` has them."""
    truths: Path | None = None
    """A table of corrected truths: a column `sample` (or `id`, `image`) and one for each field that is corrected."""
    refresh: bool = False
    """Whether truths and annotations are read again from the source."""
    task: str | None = None
    """The one task that this concerns; None: every task of the run that it fits."""
    reference: str | None = None
    """The model that mean corruption errors are relative to; None: the one of the run, else each other model."""

    def __bool__(self) -> bool:
        return bool(self.of_tasks or self.reference)

    @property
    def of_tasks(self) -> bool:
        """Whether it changes how a task is scored."""
        return bool(self.changes or self.truths or self.refresh)


def rescore(folder: RunFolder, asked: Rescoring, workspace: Workspace) -> Scores:
    """Score `folder` as `asked`, and record that; with nothing asked, score it as it was asked.

    Relative paths of the source start at `workspace.here`. Raises HarnessError for a change that would alter what
    was asked, an unknown key, metric, field, annotation or sample, and for files that are missing or broken; the
    folder is then as it was.
    """
    manifest = read_manifest(folder)
    refuse_export(manifest, folder.path)
    if not asked:
        return score_run(
            replace(folder, overlay=folder.private / ".no-scoring"),
            before_writing=lambda: put_in_place(folder, None),
        )
    with ExitStack() as stack:
        private = folder.output / "private"
        try:
            private.mkdir(exist_ok=True)
            made = stack.enter_context(working_folder(private, "scoring"))
        except OSError as error:
            raise write_error(private, error) from None
        place = made / "scoring"
        (place / "samples").mkdir(parents=True)
        _write(folder, manifest, asked, workspace, place)
        return score_run(
            replace(folder, overlay=place), before_writing=lambda: put_in_place(folder, place)
        )


def _write(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    asked: Rescoring,
    workspace: Workspace,
    place: Path,
) -> None:
    """Put into `place` what a run scored as `asked` reads."""
    reference = ""
    if asked.reference:
        reference = chosen_reference(asked.reference, shown_as(dict(manifest)))
    names = _tasks(manifest, asked)
    before = {name: Task.model_validate(manifest["tasks"][name]["config"]) for name in names}
    tasks = _changed(before, manifest, asked)
    truths = _truths(asked, tasks)
    said = [f"--set {_without_folders(change)}" for change in asked.changes]
    entries = {}
    corrected, named = 0, set[str]()
    for name, task in tasks.items():
        rows = list(read_samples(folder.samples(name)))
        if asked.refresh:
            rows = _refreshed(rows, task, workspace, said)
        if truths:
            rows, changed, found = _corrected(rows, task, truths, file=asked.truths)
            corrected += changed
            named |= found
        rows = _clustered(rows, task, before[name], refreshed=asked.refresh)
        entries[name] = _entry(task, manifest["tasks"][name], rows)
        unit = entries[name]["cluster_unit"]
        _check_annotations(task, rows, folder.path, unit=unit)
        write_rows(place / "samples" / folder.samples(name).name, rows)
    if asked.truths is not None:
        _check_named(asked.truths, truths, named, tasks)
        said.append(
            f"truths corrected from {asked.truths.name} ({digest_file(asked.truths)[:8]}): "
            f"{corrected} of them differ from the planned ones"
        )
    if reference:
        said.append(f"--reference {reference}")
    write_scoring(place, tasks=entries, said=said, reference=reference)


def _without_folders(change: str) -> str:
    """A change as reports show it: of a path the last part, since pages are sent on."""
    keys, value = split_change(change)
    shown = Path(value).name if keys[0] == "source" and "/" in value else value
    return f"{'.'.join(keys)}={shown}"


def _tasks(manifest: Mapping[str, Any], asked: Rescoring) -> list[str]:
    names = list(manifest["tasks"])
    if asked.task is None:
        return names
    if asked.task not in names:
        raise HarnessError(
            f"--task {asked.task}: the run has no such task",
            hint=f"tasks of the run: {', '.join(names)}",
        )
    return [asked.task]


def _changed(
    tasks: Mapping[str, Task], manifest: Mapping[str, Any], asked: Rescoring
) -> dict[str, Task]:
    """The tasks with the changes that fit them; every change must fit one."""
    fitting: dict[str, list[str]] = {name: [] for name in tasks}
    for change in asked.changes:
        keys, _ = split_change(change)
        _refuse(keys, change, tasks, manifest, refresh=asked.refresh)
        mine = [n for n, task in tasks.items() if keys[0] != "fields" or keys[1] in task.fields]
        for name in mine:
            fitting[name].append(change)
    return {
        name: changed_task(task, fitting[name]) if fitting[name] else task
        for name, task in tasks.items()
    }


def _refuse(
    keys: tuple[str, ...],
    change: str,
    tasks: Mapping[str, Task],
    manifest: Mapping[str, Any],
    *,
    refresh: bool,
) -> None:
    """Raise HarnessError for a change that scoring cannot use."""
    if keys[0] == "source":
        if not refresh:
            raise HarnessError(
                f"--set {change}: scoring does not read the source",
                hint="add --refresh to read truths and annotations again from the source",
            )
        return
    if keys[0] not in Task.model_fields:
        raise HarnessError(
            f"--set {change}: a task has no key {keys[0]!r}",
            hint=f"keys: {', '.join(k for k in Task.model_fields if k != 'name')}",
        )
    if keys[0] == "fields" and len(keys) > 1:
        known = dict.fromkeys(name for task in tasks.values() for name in task.fields)
        if keys[1] not in known:
            raise HarnessError(
                f"--set {change}: no task of the run has a field {keys[1]!r}",
                hint=f"fields: {', '.join(known)}",
            )
    if not concerns_scoring(keys):
        raise HarnessError(
            f"--set {change}: this would change the requests, and the replies already exist",
            hint="pass it to `harness run`, which sends the requests it affects. `harness "
            "score` accepts metrics, scored, synonyms and definitions of fields, and "
            "slices, folds, cluster, parts, languages",
        )
    if keys[-1] == "definitions" or keys[2:3] == ("definitions",):
        showing = sorted(
            name for name, prompt in manifest["prompts"].items() if may_define(prompt["source"])
        )
        if showing:
            raise HarnessError(
                f"--set {change}: the prompt {showing[0]} shows definitions, so this would "
                "change the requests",
                hint="pass it to `harness run`, which asks again with the new definitions",
            )


def _truths(asked: Rescoring, tasks: Mapping[str, Task]) -> dict[str, Beside]:
    """Sample id -> what the table of corrected truths says."""
    if asked.truths is None:
        return {}
    if not asked.truths.is_file():
        raise HarnessError(
            f"--truths: no such file: {asked.truths}",
            hint="name a table with a column `sample` and one column per corrected field",
        )
    fields = {name: spec for task in tasks.values() for name, spec in task.fields.items()}
    options = SidecarOptions(file=str(asked.truths))
    truths = read_side(
        asked.truths, options, fields, named="--truths", keys=("sample", "id", "image")
    )
    columns = {name for one in truths.values() for name in one.targets}
    if not columns:
        raise HarnessError(
            f"--truths: {asked.truths.name} has no column with the name of a field",
            hint=f"fields: {', '.join(fields)}",
        )
    return truths


def _corrected(
    rows: Sequence[PlannedSample], task: Task, truths: Mapping[str, Beside], *, file: Path | None
) -> tuple[list[PlannedSample], int, set[str]]:
    """The rows with the truths of the table; how many truths differ, and which samples it names.

    Raises HarnessError for a label that the run does not have.
    """
    planner = Planner(task)
    done, changed, named = [], 0, set()
    for row in rows:
        told = truths.get(row.sample)
        if told is None:
            done.append(row)
            continue
        named.add(row.sample)
        known = {n: v for n, v in told.targets.items() if n in task.fields}
        try:
            found = {n: planner.target(row.sample, n, v) for n, v in known.items()}
        except HarnessError as error:
            raise HarnessError(
                f"--truths: {error.message}",
                hint=f"correct the row in {file}; a run that was asked with other labels is another run",
            ) from None
        changed += sum(row.targets.get(name) != value for name, value in found.items())
        done.append(replace(row, targets={**row.targets, **found}))
    return done, changed, named


def _check_named(
    file: Path, truths: Mapping[str, Beside], named: set[str], tasks: Mapping[str, Task]
) -> None:
    """Raise HarnessError where the table names samples that no task has."""
    strays = [name for name in truths if name not in named]
    if strays:
        more = f" (and {len(strays) - 1} more)" if len(strays) > 1 else ""
        raise HarnessError(
            f"--truths: {file.name} names {strays[0]!r}{more}, which is not a sample of "
            f"{', '.join(tasks)}",
            hint="use the ids in records.parquet (`harness show TASK` prints them too) and "
            "remove other rows",
        )


def _refreshed(
    rows: Sequence[PlannedSample], task: Task, workspace: Workspace, told: list[str]
) -> list[PlannedSample]:
    """The rows with truths and annotations as the source has them now; samples gone from it are left out."""
    planned = {row.sample: at for at, row in enumerate(rows)}
    planner = Planner(task)
    source = open_source(task.source, fields=task.fields, base=workspace.here)
    fresh: dict[int, PlannedSample] = {}
    strangers = 0
    for sample in source:
        at = planned.get(sample.id)
        if at is None:
            strangers += 1
            continue
        fresh[at] = _fresh(rows[at], sample, planner)
    if not fresh:
        raise HarnessError(
            f"--refresh: the source of {task.name} has none of the run's samples",
            hint="name the source that the run used with --set source.file=...",
        )
    gone = len(rows) - len(fresh)
    said = [f"truths and annotations of {task.name} read again from its source"]
    said += [f"{gone} samples that are gone from it are left out"] if gone else []
    said += [f"{strangers} samples that were not asked about are left out"] if strangers else []
    told.append("; ".join(said))
    return list(settled((fresh[at] for at in sorted(fresh)), planner.media))


def _fresh(row: PlannedSample, sample: Sample, planner: Planner) -> PlannedSample:
    """The row with what the source says now; its question, fields and media stay as they were asked."""
    made = planner.row(sample)
    return replace(row, targets=made.targets, annotations=made.annotations, cluster=made.cluster)


def _clustered(
    rows: Sequence[PlannedSample], task: Task, before: Task, *, refreshed: bool
) -> list[PlannedSample]:
    """The rows in the clusters that the task names now."""
    rule = task.cluster
    if refreshed or rule == before.cluster:
        return list(rows)
    if rule == "auto":
        raise HarnessError(
            f"--set cluster=auto: the run was planned with cluster: {before.cluster}, so its "
            "subjects are not known",
            hint="add --refresh to read them again from the source",
        )
    return list(_by_medium(rows) if rule == "image" else _named(rows, rule))


def _by_medium(rows: Sequence[PlannedSample]) -> Iterator[PlannedSample]:
    """Each medium a cluster of its own."""
    media = MediaClusters()
    named = [
        replace(row, cluster=media.put(row.media[0] if row.media else row.sample, row.sample))
        for row in rows
    ]
    yield from settled(named, media)


def _named(rows: Sequence[PlannedSample], rule: str) -> Iterator[PlannedSample]:
    for row in rows:
        value = row.annotations.get(rule)
        if value is None:
            known = dict.fromkeys(name for one in rows[:100] for name in one.annotations)
            raise HarnessError(
                f"--set cluster={rule}: sample {row.sample} has no {rule!r}",
                hint="use auto, image, or an annotation that every sample has: "
                f"{', '.join(known) or 'there is none'}",
            )
        yield replace(row, cluster=str(value))


def _check_annotations(task: Task, rows: Sequence[PlannedSample], run: Path, *, unit: str) -> None:
    """Raise HarnessError where the task is sliced by what no sample has."""
    known = {name for row in rows for name in row.annotations} | set(task.fields)
    by_cluster = task.folds == SUBJECT and unit == SUBJECT
    wanted: dict[str, Sequence[str]] = {"slices": task.slices}
    wanted["folds"] = (task.folds,) if task.folds and not by_cluster else ()
    wanted["parts"] = (task.parts,) if task.parts else ()
    for key, names in wanted.items():
        for name in names:
            if name not in known:
                raise HarnessError(
                    f"{key}: no sample of {task.name} in {run} has an annotation {name!r}",
                    hint=f"annotations: {', '.join(sorted(known))}",
                )


def _entry(task: Task, planned: Mapping[str, Any], rows: Sequence[PlannedSample]) -> dict[str, Any]:
    """What replaces parts of the task's entry in the manifest."""
    unit = planned["cluster_unit"]
    if task.cluster not in {"auto", planned["config"]["cluster"]}:
        unit = task.cluster
    return {
        "config": task.model_dump(mode="json"),
        "cluster_unit": unit,
        "samples": len(rows),
        "clusters": len({row.cluster for row in rows}),
    }

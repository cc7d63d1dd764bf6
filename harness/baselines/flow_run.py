"""Train the flow network fold by fold, and write its answers as a run folder that nothing later tells from others.

Each fold is answered by a network that saw none of its subjects. The answers go through the same door as predictions made
elsewhere, with fold, training subjects and probabilities, so that the door's own checks hold here as well.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.baselines.flow_inputs import FlowError, FlowInputs, flow_inputs, refuse_picture
from harness.baselines.flow_network import TrainingSettings, one_hot, parameters, train_and_answer
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.task import SUBJECT, Task
from harness.core.text import counted
from harness.imports.columns import PredictionMap
from harness.imports.folder import ImportedModel
from harness.imports.predictions import import_predictions
from harness.run.folder import RunFolder, write_atomically
from harness.run.mix_pairing import mixing_field
from harness.run.samples import Planner, collect_classes, with_classes
from harness.run.workspace import Workspace
from harness.score.columns import BASELINE
from harness.score.votes import distribution_of, soft_truth
from harness.sources import open_source

NAME = f"{BASELINE}flow"
SHUFFLED = f"{BASELINE}flow-shuffled"
ANSWERS = "private/answers.csv"
"""The answers in the run folder, with subjects; private files are never exported."""
PREFIX = "p_"
"""Before the label in the name of a column of probabilities."""
LEAST_CLIPS = 6
"""Training clips without which a fold has no network."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one clip besides its pixels."""

    label: str
    subject: str
    fold: str
    votes: tuple[Mapping[str, float], bool] = ({}, False)
    """Label -> number, and whether these are votes; empty where the set has no distributions."""


@dataclass(frozen=True, slots=True)
class Clips:
    """What is known of the usable clips of a task, beside their flow."""

    classes: tuple[str, ...]
    names: tuple[str, ...]
    shares: NDArray[np.float32]
    """(n, K) what is trained on: the votes or the soft label of a clip where it has one, else its label alone."""
    soft: int
    """Clips with votes or a soft label."""
    subjects: tuple[str, ...]
    folds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowBaseline:
    """A trained baseline and what was measured on the way."""

    folder: RunFolder
    notes: tuple[str, ...]
    clips: int
    folds: int
    parameters: int
    flow_seconds: float
    """CPU seconds for reading the clips and their flow."""
    training_seconds: float
    """CPU seconds for all folds together."""


def run_flow_baseline(
    task: Task,
    folder: RunFolder,
    *,
    workspace: Workspace,
    command: Sequence[str],
    settings: TrainingSettings,
    shuffle: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> FlowBaseline:
    """Train on the task's clips, one network for each fold, and write `folder`; score it with `score_run`.

    `shuffle` gives each clip the flow of another one, which must bring the network to chance. Raises HarnessError for a
    task without folds, without subjects or without a label field, for clips of which no flow can be had, and for a fold
    that leaves too few clips to train on.
    """
    source = open_source(task.source, fields=task.fields, base=workspace.here)
    refuse_unfit(task, workspace)
    fixed = with_classes(task, collect_classes(source, task))
    clock = time.process_time()
    field = _checked(fixed)
    planner = Planner(fixed)
    known: dict[str, _Known] = {}

    def labelled() -> Iterator[Sample]:
        for sample in source:
            found = _of(sample, planner, fixed, field)
            if found is not None:
                known[sample.id] = found
                yield sample

    inputs = flow_inputs(labelled(), on_clip=lambda done: tell(f"{done} clips read"))
    flow_seconds = time.process_time() - clock
    clips = _clips(field, fixed.fields[field], inputs, known)
    planes = inputs.planes
    if shuffle:
        planes = planes[np.random.default_rng(settings.seed).permutation(len(planes))]
    clock = time.process_time()
    text = _answers(clips, planes, settings, tell)
    training_seconds = time.process_time() - clock
    folder.create()
    path = folder.path / ANSWERS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    imported = import_predictions(
        path, task, _columns(), folder, workspace=workspace, command=command, source_meant=True,
        model=ImportedModel(
            SHUFFLED if shuffle else NAME, _details(clips, inputs, settings, shuffle),
            "a network on onset-to-apex flow, trained for each fold on the other subjects",
        ),
    )  # fmt: skip
    notes = [*imported.notes, *_error_notes(inputs.errors), *_left_out(inputs.left_out)]
    return FlowBaseline(
        folder, tuple(notes), len(clips.names), len(set(clips.folds)), parameters(len(clips.classes)),
        flow_seconds, training_seconds,
    )  # fmt: skip


def refuse_unfit(task: Task, workspace: Workspace) -> None:
    """Raise HarnessError for a task that the network cannot stand in: of pictures, without folds or a label field."""
    source = open_source(task.source, fields=task.fields, base=workspace.here)
    first = next(iter(source), None)
    if first is not None:
        refuse_picture(first)
    _checked(task)


def _checked(task: Task) -> str:
    """The field that is answered. Raises HarnessError for a task that the network cannot stand in."""
    field = mixing_field(task)
    if field is None:
        raise HarnessError(
            f"task {task.name} has no scored field of kind label", hint="use a task of emotions"
        )
    if len(task.fields) > 1:
        raise HarnessError(
            f"task {task.name} asks for {', '.join(task.fields)}, and the network answers one field",
            hint="use a task with one field, such as faces/me-emotion-3 or casme2/me-emotion-3",
        )
    if task.folds is None:
        raise HarnessError(
            f"task {task.name} has no folds, so every clip would be trained on",
            hint="leave one subject out with --set folds=subject",
        )
    return field


def _of(sample: Sample, planner: Planner, task: Task, field: str) -> _Known | None:
    """What is known of a sample; None for one without a label."""
    row = planner.row(sample)
    label = row.targets.get(field)
    if label is None:
        return None
    if task.cluster == "image" or (task.cluster == "auto" and sample.cluster is None):
        raise HarnessError(
            f"task {task.name}: the subject of sample {sample.id[:80]} is not known, so it may be trained on and tested",
            hint="use a source that names its subjects, or name their column (cluster: COLUMN)",
        )
    fold = row.cluster if task.folds == SUBJECT else row.annotations.get(str(task.folds))
    if fold is None:
        raise HarnessError(
            f"sample {sample.id[:80]} has no {task.folds!r}, which folds: names",
            hint="give every sample a fold, or leave one subject out with --set folds=subject",
        )
    return _Known(str(label), row.cluster, str(fold), distribution_of(row.annotations))


def _clips(field: str, spec: FieldSpec, inputs: FlowInputs, known: Mapping[str, _Known]) -> Clips:
    of = [known[name] for name in inputs.samples]
    shares = one_hot([one.label for one in of], spec.classes)
    truth = soft_truth(field, spec, [one.votes for one in of])
    shares[truth.known] = truth.shares[truth.known]
    return Clips(
        spec.classes, inputs.samples, shares, int(truth.known.sum()),
        tuple(one.subject for one in of), tuple(one.fold for one in of),
    )  # fmt: skip


def _answers(
    clips: Clips,
    planes: NDArray[np.float32],
    settings: TrainingSettings,
    tell: Callable[[str], None],
) -> str:
    """The table of answers: for each clip the probabilities of a network that saw no subject of its fold."""
    subjects, folds = np.asarray(clips.subjects), np.asarray(clips.folds)
    names = sorted(set(clips.folds))
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(
        ["name", "fold", "trained_on", "epoch", *(PREFIX + name for name in clips.classes)]
    )
    rows: dict[int, list[str]] = {}
    for done, fold in enumerate(names, 1):
        test = np.flatnonzero(folds == fold)
        train = np.flatnonzero((folds != fold) & ~np.isin(subjects, subjects[test]))
        if train.size < LEAST_CLIPS:
            raise HarnessError(
                f"fold {fold} leaves {counted(train.size, 'clip')} of other subjects to train on, fewer than {LEAST_CLIPS}",
                hint="use more clips or subjects",
            )
        answers = train_and_answer(planes, clips.shares, train, test, settings)
        seen = "; ".join(sorted(set(subjects[train].tolist())))
        for place, answer in zip(test.tolist(), answers.astype(np.float64), strict=True):
            told = [f"{share:.9f}" for share in answer / answer.sum()]
            rows[place] = [clips.names[place], fold, seen, str(settings.epochs), *told]
        tell(f"fold {done} of {len(names)} trained")
    table.writerows(rows[place] for place in sorted(rows))
    return lines.getvalue()


def _columns() -> PredictionMap:
    return PredictionMap(
        id="name", fold="fold", training="trained_on", epoch="epoch", checkpoint="fixed",
        probabilities=PREFIX,
    )  # fmt: skip


def _details(
    clips: Clips, inputs: FlowInputs, settings: TrainingSettings, shuffle: bool
) -> dict[str, str]:
    """What the manifest says of the network; no times, so that the same command writes the same card."""
    found = {
        "parameters": str(parameters(len(clips.classes))),
        "labels": f"{counted(clips.soft, 'clip')} with votes or a soft label, which is trained on"
        if clips.soft
        else "one label each",
        "flow": "shuffled among the clips" if shuffle else "each clip's own, from onset to apex",
        **{f"training {name}": value for name, value in settings.details().items()},
    }
    told = _error_notes(inputs.errors)
    return {**found, "flow error": told[0]} if told else found


def _error_notes(errors: Sequence[FlowError]) -> list[str]:
    if not errors:
        return []
    endpoint, still, landmarks = (
        float(np.mean([getattr(one, name) for one in errors]))
        for name in ("endpoint", "still", "landmarks")
    )
    return [
        f"flow at the landmarks, whose true movement is known: EPE {endpoint:.2f} pixels ({still:.2f} if no movement were "
        f"measured), landmarks carried along it are {100 * landmarks:.2f}% of the distance between the eyes off (NME); "
        f"mean of {counted(len(errors), 'clip')}"
    ]


def _left_out(left_out: Mapping[str, str]) -> list[str]:
    if not left_out:
        return []
    name, why = next(iter(left_out.items()))
    return [f"{counted(len(left_out), 'clip')} without an answer, such as {name[:80]}: {why}"]

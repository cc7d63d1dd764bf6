"""From a task and a dual encoder to a file of learned prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError
from harness.core.label_texts import read_label_turns
from harness.core.message import Image
from harness.core.sample import Sample
from harness.core.task import Task
from harness.models.dual.encoder import DualEncoder
from harness.models.dual.model import find_dual
from harness.models.dual.tuned import MARK, write_tuned
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.picture import decode_picture
from harness.prompting.library import Library
from harness.run.exemplars import with_targets
from harness.run.prepare import prompt_variables
from harness.run.presentation import show
from harness.run.preview import with_labels
from harness.sources import open_source
from harness.tune.learn import Learned, Learning, learn
from harness.tune.samples import Fold, Folds, folds_of, refuse_shared
from harness.version import __version__

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be learnt, and from what."""

    model: str
    """`clip:...`, without learned prompts."""
    task: Task
    """Its source gives the samples that are learnt from."""
    out: Path
    scored: Task | None = None
    """The task as it is scored: none of its subjects may be learnt from. None: that is not looked at."""
    prompt: str = ""
    """Whose texts are learnt with; empty: the task's first of the family dual."""
    shots: int | None = None
    """Samples of each label; None: all."""
    validation: int | None = None
    """Samples of each label that say when to stop; None: half of `shots`, else a fifth of the subjects."""
    classes: tuple[str, ...] = ()
    """Labels that are learnt; empty: all. The others are new to the learned prompts."""
    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it."""

    file: Path
    learned: Learned
    record: Mapping[str, Any]

    @property
    def model(self) -> str:
        """As `--model` takes it."""
        return f"{self.record['model']}{MARK}{self.file}"


def tune(asked: Asked, library: Library, *, here: Path, say: Say = lambda line: None) -> Tuned:
    """Learn prompts and write them. Raises HarnessError for a model, task or prompt that does not suit, too few samples,
    and samples of subjects that the task scores."""
    if asked.model.partition(":")[0] != "clip" or MARK in asked.model:
        raise HarnessError(
            f"prompts cannot be learnt on {asked.model}", hint="name a dual encoder: clip:PATH_OR_ID, clip:tiny"
        )  # fmt: skip
    found = find_dual(asked.model.partition(":")[2])
    task, source = with_labels(asked.task, here=here)
    name = _field(task)
    labels = asked.classes or task.fields[name].classes
    unknown = [label for label in labels if label not in task.fields[name].classes]
    if unknown or len(set(labels)) < 2:
        raise HarnessError(
            f"--classes {','.join(labels)}: "
            + (f"{unknown[0]} is no label of {task.name}" if unknown else "two labels at least are needed"),
            hint=f"labels: {', '.join(task.fields[name].classes)}",
        )  # fmt: skip
    prompt = _prompt(asked, task, library)
    texts = label_texts(library, prompt, task, name, labels)
    shots = asked.shots
    validation = asked.validation or (None if shots is None else max(1, shots // 2))
    seed = asked.learning.seed
    folds = folds_of(
        with_targets(source, task), task, field=name, labels=labels, shots=shots, validation=validation, seed=seed
    )  # fmt: skip
    if asked.scored is not None:
        scored = open_source(asked.scored.source, fields=asked.scored.fields, base=here)
        refuse_shared(asked.scored, folds, scored)
    say(_told(folds, labels))
    encoder = found.load()
    try:
        learned = learn(
            encoder, texts, _read(folds.train, encoder, task), _read(folds.validation, encoder, task), asked.learning,
            say=say,
        )  # fmt: skip
    except ValueError as error:
        raise HarnessError(f"{prompt}: {error}", hint="use another prompt, or fewer --contexts") from error  # fmt: skip
    record = {
        "model": asked.model, "base": found.checkpoint.weights, "task": task.name, "field": name,
        "source": {k: v for k, v in task.source.items() if k not in _PLACES}, "data_digest": source.digest(),
        "prompt": prompt, "prompt_digest": library.prompt(prompt).digest, "labels": list(labels),
        "texts": [list(each) for each in texts], "samples": [len(folds.train), len(folds.validation)],
        "subjects": list(folds.subjects), "shots": shots, "learning": asdict(asked.learning), "step": learned.step,
        "validation": list(learned.curve[[step for step, *_ in learned.curve].index(learned.step)][1:]),
        "versions": _versions(),
    }  # fmt: skip
    write_tuned(asked.out, learned.prompts, record)
    return Tuned(asked.out, learned, record)


_PLACES = frozenset({"file", "root", "base", "folder", "sidecar", "marks"})
"""Source options that say where data lie; they are no part of a file that is passed on."""


def _versions() -> dict[str, str]:
    torch, transformers = import_libraries()
    return {
        "harness": __version__, "torch": str(torch.__version__), "transformers": str(transformers.__version__)
    }  # fmt: skip


def _field(task: Task) -> str:
    """The field that is learnt: the first of one label."""
    found = next((name for name, spec in task.fields.items() if spec.one_label), None)
    if found is None:
        raise HarnessError(
            f"{task.name} has no field of one label to learn", hint="choose a task with labels"
        )
    return found


def _prompt(asked: Asked, task: Task, library: Library) -> str:
    """The name of the prompt whose texts are learnt with."""
    for name in (asked.prompt,) if asked.prompt else task.prompts:
        if library.prompt(name).head.family == "dual":
            return name
    raise HarnessError(
        f"{asked.prompt} is no prompt of the family dual"
        if asked.prompt
        else f"{task.name} lists no prompt of the family dual",
        hint="name one with --prompt, such as dual/described",
    )


def label_texts(
    library: Library, prompt: str, task: Task, name: str, labels: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """The texts of each of these labels, as a run would show them."""
    rendering = library.render(
        library.prompt(prompt),
        variables=prompt_variables(task, (name,)),
        pictures=[Image("a picture", b"a picture")],
    )
    every = dict(zip(task.fields[name].classes, read_label_turns(rendering.messages).texts, strict=True))  # fmt: skip
    return tuple(every[label] for label in labels)


def _read(fold: Fold, encoder: DualEncoder, task: Task) -> tuple[Any, Sequence[int]]:
    """The pixels of a fold, first frames of clips, and its labels."""
    pictures = [decode_picture(_image(one, task)) for one in fold.samples]
    return encoder.pixels(pictures), fold.labels


def _image(sample: Sample, task: Task) -> Image:
    """The picture of a sample as the task shows it. Raises HarnessError where it cannot be read, and for clips."""
    shown = show(sample.medium, load_condition("none"), task)
    if shown.failure is not None:
        raise HarnessError(f"{sample.id}: {shown.failure.detail}", hint="remove the sample, or repair its file")  # fmt: skip
    if len(shown.pictures) != 1 or not isinstance(shown.pictures[0], Image):
        raise HarnessError(
            f"{sample.id} is a clip; prompts are learnt from single pictures",
            hint="show one frame: --set media.frames=apex",
        )
    return shown.pictures[0]


def _told(folds: Folds, labels: Sequence[str]) -> str:
    (train, held), (a, b) = (len(folds.train), len(folds.validation)), folds.subjects
    return f"{len(labels)} labels; {train} samples of {a} subjects to learn from, {held} of {b} others to decide when to stop"

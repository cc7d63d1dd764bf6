"""Write the training data of a task: a folder with folds, pictures that a condition changed, a card."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition, needs_video
from harness.conditions.sound import hears
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.message import Image, Text
from harness.core.prompt import Prompt
from harness.core.task import Task
from harness.core.text import counted, digest_json
from harness.core.training_folds import FOLD, FOLDS, TrainedCell, TrainingFolds
from harness.exports.training_set.card import CARD, Facts, card
from harness.exports.training_set.examples import (
    Example,
    Passed,
    Truth,
    examples_of,
    read_truths,
    refuse_tools,
)
from harness.exports.training_set.folds import make_folds
from harness.exports.training_set.forms import DATASET_INFO, Form, dataset_info, row, unfit
from harness.prompting.library import Library
from harness.run.axes import Axes
from harness.run.folder import RunFolder, write_error
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask, plan_task
from harness.run.prompt_choice import choose_prompts, conditions_of
from harness.run.unfinished import working_folder

MEDIA = "media"
PARTS = ("train", "validation")


@dataclass(frozen=True, slots=True)
class TrainingAsked:
    """What is exported."""

    form: Form
    by: str
    """`subject`, or a number of groups of subjects."""
    validation: int | None = None
    prompts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ("none",)
    limit: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    folds: TrainingFolds
    facts: Facts


def export_training(
    task: Task, asked: TrainingAsked, library: Library, *, here: Path, out: Path
) -> Written:
    """Write the training data of a task into the new folder `out`.

    Raises HarnessError where `out` is there, the source names no subjects, or nothing can be written; then there is no
    folder.
    """
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise HarnessError(
            f"{out} exists; training data is not written over",
            hint="name another folder with --out",
        )
    with tempfile.TemporaryDirectory(prefix="harness-") as scratch:
        run = RunFolder(Path(scratch))
        run.samples(task.name).parent.mkdir(parents=True)
        planned, plan = _plan(task, asked, library, run, here=here)
        truths = read_truths(planned)
        _check_subjects(truths, planned)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with working_folder(out.parent, out.name) as made:
                found = _write(planned, plan, library, truths, asked, made=made, out=out)
                for path in made.rglob("*"):
                    path.chmod(0o755 if path.is_dir() else 0o644)
                made.chmod(0o755)
                made.rename(out)
        except OSError as error:
            raise write_error(out, error) from None
    return found


def _plan(
    task: Task, asked: TrainingAsked, library: Library, scratch: RunFolder, *, here: Path
) -> tuple[PlannedTask, Plan]:
    """The task's samples and cells. Raises HarnessError for a condition that shows other subjects."""
    axes = Axes(models=(), prompts=asked.prompts, conditions=asked.conditions, limit=asked.limit, seed=asked.seed)  # fmt: skip
    prompts = _chat(choose_prompts(task, asked.prompts, library), asked.prompts)
    cells = []
    shown = conditions_of(task, axes, prompts, library)
    for prompt in prompts:
        for one in shown[prompt.name]:
            _check_condition(one.condition, one.shots)
            cells.append(
                Cell(
                    task.name, "", prompt.name, one.condition, prompt.head.protocol,
                    label_order=one.label_order, pixels=one.pixels,
                )
            )  # fmt: skip
    refuse_tools(cells)
    planned = plan_task(task, axes, scratch, here=here)
    return planned, Plan(
        tasks={task.name: planned}, prompts={p.name: p for p in prompts}, cells=tuple(cells), seed=asked.seed
    )  # fmt: skip


def _chat(prompts: Sequence[Prompt], named: Sequence[str]) -> tuple[Prompt, ...]:
    """The prompts that hold a conversation. Raises HarnessError where another was named, or none is left."""
    found = tuple(prompt for prompt in prompts if prompt.head.family == "chat")
    for prompt in prompts:
        if prompt.head.family != "chat" and (prompt.name in named or not found):
            raise HarnessError(
                f"prompt {prompt.name} is of family {prompt.head.family}: it holds no conversation",
                hint="use a prompt of family chat (harness list prompts)",
            )
    return found


def _check_condition(name: str, shots: int) -> None:
    condition = load_condition(name)
    if shots or mixes(condition):
        what = "few-shot examples show" if shots else f"condition {name} mixes in"
        raise HarnessError(
            f"{what} samples of other subjects, so no fold would keep a subject from training",
            hint="export without few-shot examples (--set shots=0) and mixtures",
        )
    if hears(condition) or needs_video(condition):
        raise HarnessError(
            f"condition {name} sends a video or a sound; training data holds pictures alone",
            hint="use a condition that shows frames, such as --condition apex",
        )


def _check_subjects(truths: Mapping[str, Truth], planned: PlannedTask) -> None:
    nameless = [sample for sample, one in truths.items() if one.subject is None]
    if len(nameless) == len(truths):
        raise HarnessError(
            f"task {planned.task.name}: the source names no subjects, so samples of one person would be in training and test",
            hint="use a source that knows its subjects, or name their column (--set source.subject=COLUMN of a table)",
        )
    if nameless:
        raise HarnessError(
            f"task {planned.task.name}: {counted(len(nameless), 'sample')} of {len(truths):,} have no subject, the first is "
            f"{nameless[0]}",
            hint="complete the column of subjects, or leave these samples out",
        )


@dataclass(slots=True)
class _Pictures:
    """Where pictures lie: their own files where these hold just the bytes that are sent, else files in the export."""

    made: Path
    out: Path
    places: dict[str, str] = field(default_factory=dict)
    """Digest -> path."""
    copied: int = 0

    def place(self, image: Image) -> str:
        found = self.places.get(image.digest)
        if found is None:
            found = self.places[image.digest] = self._original(image) or self._copy(image)
        return found

    def _original(self, image: Image) -> str:
        try:
            path = Path(image.name)
            same = path.is_file() and path.read_bytes() == image.data
            return str(path.resolve()) if same else ""
        except (OSError, ValueError):
            return ""

    def _copy(self, image: Image) -> str:
        suffix = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}.get(image.mime, "")  # fmt: skip
        name = f"{image.digest[:32]}{suffix}"
        (self.made / MEDIA).mkdir(exist_ok=True)
        (self.made / MEDIA / name).write_bytes(image.data)
        self.copied += 1
        return str(self.out.resolve() / MEDIA / name)


def _write(
    planned: PlannedTask,
    plan: Plan,
    library: Library,
    truths: Mapping[str, Truth],
    asked: TrainingAsked,
    *,
    made: Path,
    out: Path,
) -> Written:
    passed, pictures = Passed(), _Pictures(made, out)
    digests: dict[str, list[Any]] = {cell.id: [] for cell in plan.cells}
    labels: Counter[str] = Counter()
    lines: dict[str, list[str]] = {}
    samples: dict[str, set[str]] = {}
    for example in examples_of(planned, plan, library, truths, passed):
        reason = unfit(example, asked.form)
        if reason:
            passed.leave(reason, example.sample)
            continue
        digests[example.cell.id].append(_told(example))
        labels.update(example.labels)
        line = json.dumps(row(example, asked.form, pictures.place), ensure_ascii=False)
        lines.setdefault(example.subject, []).append(line)
        samples.setdefault(example.subject, set()).add(example.sample)
    _check_any(lines, passed, planned.task)
    folds = make_folds(
        {subject: len(found) for subject, found in samples.items()},
        by=asked.by, validation=asked.validation, seed=asked.seed,
    )  # fmt: skip
    count = {subject: len(found) for subject, found in lines.items()}
    folds = {
        name: fold.model_copy(update={
            "rows": sum(count[s] for s in fold.train), "validation_rows": sum(count[s] for s in fold.validation)
        })
        for name, fold in folds.items()
    }  # fmt: skip
    cells = tuple(
        TrainedCell(
            prompt=cell.prompt, prompt_digest=plan.prompts[cell.prompt].digest, condition=cell.shown_condition,
            protocol=cell.protocol, rows=len(digests[cell.id]), digest=digest_json(digests[cell.id]),
        )
        for cell in plan.cells
    )  # fmt: skip
    whole = digest_json([[c.digest for c in cells], {n: [f.asked, f.train, f.validation] for n, f in folds.items()}])  # fmt: skip
    written = TrainingFolds(
        task=planned.task.name, data=planned.digest, by=asked.by, seed=asked.seed, cells=cells, folds=folds, digest=whole
    )  # fmt: skip
    files = list(_write_folds(written, lines, made))
    if asked.form == "sharegpt":
        _write_json(made / DATASET_INFO, dataset_info(files))
    _write_json(made / FOLDS, written.model_dump(mode="json"))
    facts = Facts(
        form=asked.form, samples=sum(map(len, samples.values())), rows=sum(count.values()), labels=labels, passed=passed,
        copied=pictures.copied, pictures=len(pictures.places), source=planned.task.source, public=planned.task.public,
        notice=planned.task.notice, reasoning=tuple(n for n, p in plan.prompts.items() if p.head.answer == "final"),
    )  # fmt: skip
    (made / CARD).write_text(card(written, facts), encoding="utf-8")
    return Written(written, facts)


def _told(example: Example) -> Any:
    """What an example says, without paths."""
    turns = [
        [m.role, [p.text if isinstance(p, Text) else {"picture": p.digest} for p in m.parts]]
        for m in example.messages
    ]
    return [example.sample, turns, example.answer]


def _check_any(lines: Mapping[str, Sequence[str]], passed: Passed, task: Task) -> None:
    if lines:
        return
    reason, count = passed.left_out.most_common(1)[0] if passed.left_out else ("no samples", 0)
    raise HarnessError(
        f"task {task.name}: no answer can be written; {counted(count, 'time')}: {reason} ({passed.first.get(reason, '')})",
        hint="choose another prompt (--prompt) or data with true values",
    )


def _write_folds(
    written: TrainingFolds, lines: Mapping[str, Iterable[str]], made: Path
) -> Iterable[tuple[str, str]]:
    """Write the files of each fold; (name of the data set, path of its file)."""
    for name, fold in written.folds.items():
        folder = made / "folds" / name
        folder.mkdir(parents=True)
        _write_json(folder / FOLD, written.note(name).model_dump(mode="json"))
        for part, subjects in zip(PARTS, (fold.train, fold.validation), strict=True):
            if subjects:
                path = folder / f"{part}.jsonl"
                with path.open("w", encoding="utf-8") as file:
                    for subject in subjects:
                        file.writelines(f"{line}\n" for line in lines[subject])
                yield f"{name}-{part}", str(path.relative_to(made))


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

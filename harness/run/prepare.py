"""From a sample to conversations ready to send: pictures opened, conditions applied, prompts rendered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.answers.vocabulary import definitions
from harness.conditions.enhance import asking
from harness.conditions.label_order import in_order
from harness.conditions.mixture import mixes
from harness.conditions.registry import load_condition
from harness.conditions.sound import hears
from harness.core.cell import Cell, sample_of, trial_id
from harness.core.condition import Condition, variables_of
from harness.core.errors import MediaError
from harness.core.field import FieldSpec
from harness.core.generation import Failure
from harness.core.medium import Medium
from harness.core.message import Audio, Message, Text, Visual
from harness.core.picture import Remembered
from harness.core.prompt import Prompt, Rendering
from harness.core.sample import Sample
from harness.core.source import some_of
from harness.core.task import Task
from harness.core.tool import Toolbox
from harness.prompting.library import Library
from harness.prompting.variables import field_variables
from harness.run.examples import Examples, Gallery
from harness.run.mix_pairing import Partners
from harness.run.numbering import Numbering, Shard
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask
from harness.run.presentation import ShownSample, show
from harness.run.toolboxes import Toolboxes, needs_donors
from harness.run.unchanged import AT_ONCE, Unchanged


@dataclass(frozen=True, slots=True)
class Prepared:
    """One trial with its pictures read, or the reason why they could not be."""

    cell: Cell
    trial: str
    prompt: Prompt
    library: Library
    variables: Mapping[str, object]
    asks: tuple[str, ...]
    """The fields that its answer fills."""
    pictures: tuple[Visual, ...]
    failure: Failure | None = None
    shown: Mapping[str, Sequence[int | str]] | None = None
    """For a clip, which frames and by what rules (see `Shown`); the ids of the worked `exemplars`."""
    repeat: int = 0
    read_as: tuple[str, ...] = ()
    """Rules by which its pictures were read, where they are not plain (see `Shown`)."""
    toolbox: Toolbox | None = None
    """The tools of its cell over its pictures; None where the cell has none."""
    sound: Audio | None = None
    """What is heard with its pictures."""
    block: int = 0
    """Of the plan (`harness.run.numbering`)."""
    stamp: bytes | None = None
    """Of its sample, before its pictures were read (`harness.run.stamps`)."""
    adapter: str = ""
    """The fold whose adapter is asked, of a model with one for each fold."""

    def render(self, replies: Mapping[str, str]) -> Rendering:
        """The conversation up to the next reply. A sound that is heard with pictures stands behind the last of them."""
        found = self.library.render(
            self.prompt, variables=self.variables, pictures=self.pictures, replies=replies
        )
        return found if self.sound is None else with_sound(found, self.sound)


def prepare(
    planned: PlannedTask,
    cells: Sequence[Cell],
    plan: Plan,
    library: Library,
    *,
    only: Collection[str] | None = None,
    shard: Shard | None = None,
    unchanged: Unchanged | None = None,
) -> Iterator[list[Prepared]]:
    """The trials of each sample in turn, under every cell, so that a picture is read once for all of them.

    `only` are the trials wanted; None: all. Of other shards than `shard` nothing is read. `unchanged` says what is passed
    over; after many samples of which nothing is left, an empty list comes.
    """
    wanted = None if only is None else {sample_of(trial) for trial in only}
    preparation = _Preparation(planned, cells, plan, library)
    last: Medium | None = None
    shown: dict[tuple[str, str], ShownSample] = {}
    open_ones = None
    if unchanged is not None and only is None and shard is None:
        open_ones = unchanged.open_samples(planned, cells)
    samples = (
        one
        for one in numbered(planned, cells, plan, some=open_ones)
        if (shard is None or shard.has(one[1])) and (wanted is None or one[0].id in wanted)
    )
    passed = 0
    left = ((*one, None) for one in samples) if unchanged is None else unchanged.left(samples)
    for sample, block, asked, stamp in left:
        if not asked:
            passed += 1
            if passed % AT_ONCE == 0:
                yield []
            continue
        medium = _remembered(sample.medium, last)
        if medium is not last:  # several questions about one clip see the same pictures
            last, shown = medium, {}
        trials: list[Prepared] = []
        for cell in asked:
            trials += preparation.trials(cell, sample, medium, shown, block, stamp=stamp)
        if only is not None:
            trials = [one for one in trials if one.trial in only]
        if trials:
            yield trials


def numbered(
    planned: PlannedTask, cells: Sequence[Cell], plan: Plan, *, some: frozenset[str] | None = None
) -> Iterator[tuple[Sample, int, list[Cell]]]:
    """The samples of a task with the block of each, and the cells that ask about it. No picture is read.

    `some` are the ids of those wanted (None: all), which are then numbered as if there were no others.
    """
    numbering, chosen = Numbering(), planned.summary.chosen
    asking: dict[tuple[str, ...], list[Cell]] = {}
    for sample in planned.every if some is None else some_of(planned.source, some):
        if chosen is not None and sample.id not in chosen:
            continue
        asked = tuple(sample.asked_of(planned.task.fields))
        if asked not in asking:
            asking[asked] = [c for c in cells if plan.prompts[c.prompt].head.fills(asked)]
        trials = len(asking[asked]) * plan.repeats
        yield sample, numbering.block(sample.medium, trials), asking[asked]


class _Preparation:
    """What the cells of one task share: conditions, template variables, few-shot examples, partners of mixtures."""

    def __init__(
        self, planned: PlannedTask, cells: Sequence[Cell], plan: Plan, library: Library
    ) -> None:
        task = self._task = planned.task
        self._plan, self._library = plan, library
        self._conditions = {
            cell.condition: asking(load_condition(cell.condition), plan.enhancers) for cell in cells
        }
        self._variables = {
            cell.label_order: _Variables(in_order(task, cell.label_order)) for cell in cells
        }
        self._told = {name: variables_of(one) for name, one in self._conditions.items()}
        self._galleries = {
            (cell.condition, cell.shots, cell.pixels): Gallery(
                planned.pool,
                cell.shots,
                self._conditions[cell.condition],
                partial(_shown_as, task=task, pixels=cell.pixels),
            )
            for cell in cells
        }
        self._partners = None
        donors = needs_donors(cells)
        partners = None
        if donors or any(map(mixes, self._conditions.values())):
            partners = Partners(task, planned.source, seed=plan.seed, chosen=planned.summary.chosen)
        if any(map(mixes, self._conditions.values())):
            self._partners = partners
        self._tools = Toolboxes(partners if donors else None, seed=plan.seed)

    def trials(
        self,
        cell: Cell,
        sample: Sample,
        medium: Medium,
        shown: MutableMapping[tuple[str, str], ShownSample],
        block: int = 0,
        *,
        stamp: bytes | None = None,
    ) -> Iterable[Prepared]:
        """The sample's trials in one cell, one a repeat; none where the prompt fills no field that is asked of it.

        `shown` holds what the sample's medium looks like under the conditions applied so far, and is added to.
        """
        prompt = self._plan.prompts[cell.prompt]
        asks = prompt.head.fills(sample.asked_of(self._task.fields))
        if not asks:
            return ()
        condition = self._conditions[cell.condition]
        seen = self._shown(cell, sample, medium, shown)
        examples = self._galleries[cell.condition, cell.shots, cell.pixels].of(
            sample, asks, seen.pictures
        )
        other = _second(sample, condition, self._task, pixels=cell.pixels)
        variables = {
            **self._variables[cell.label_order].of(sample, asks),
            **self._told[cell.condition],
            **({"exemplars": examples.given} if examples.given else {}),
            **second_variable(other.pictures),
        }
        folds = self._plan.folds
        fold = "" if folds is None else folds.fold_of(cell.model, sample, self._task)
        toolbox, broken = None, None
        if cell.tools:
            view = condition if self._partners is None else self._partners.beside(condition, sample)

            def question(other: Medium) -> tuple[Message, ...]:
                """The prompt over the medium of another sample."""
                its = show(other, view, self._task, pixels=cell.pixels)
                if its.failure is not None:
                    raise MediaError(its.failure.detail, kind="unsupported")
                return self._library.render(
                    prompt, variables=variables, pictures=its.pictures, replies={}
                ).messages

            toolbox, broken = self._tools.of(cell, sample, medium, view, question=question)
        return [
            Prepared(
                cell, trial_id(cell, sample.id, repeat), prompt, self._library, variables, asks,
                seen.pictures, seen.failure or other.failure or examples.failure or broken,
                with_fold(with_examples(seen.record, examples), fold), repeat, (*seen.read_as, *other.read_as),
                toolbox, seen.sound, block, stamp, fold,
            )
            for repeat in range(self._plan.repeats)
        ]  # fmt: skip

    def _shown(
        self,
        cell: Cell,
        sample: Sample,
        medium: Medium,
        shown: MutableMapping[tuple[str, str], ShownSample],
    ) -> ShownSample:
        """The sample under a condition, worked out once; a mixture once for each sample, for its partner's sake."""
        condition = self._conditions[cell.condition]
        place = (f"{cell.condition} {cell.pixels}", sample.id if mixes(condition) else "")
        if place not in shown:
            view = condition
            if self._partners is not None:
                view = self._partners.beside(condition, sample)
            shown[place] = show(medium, view, self._task, pixels=cell.pixels)
        return shown[place]


def _shown_as(medium: Medium, condition: Condition, *, task: Task, pixels: int) -> ShownSample:
    return show(medium, condition, task, pixels=pixels)


_NOTHING = ShownSample()


def _second(sample: Sample, condition: Condition, task: Task, *, pixels: int) -> ShownSample:
    """The other medium of a pair as the condition shows it; nothing where the sample has one alone."""
    if sample.second is None:
        return _NOTHING
    if hears(condition):
        return ShownSample(failure=Failure("unsupported", "the sounds of a pair cannot be sent"))
    return show(sample.second, condition, task, pixels=pixels)


def second_variable(pictures: Sequence[Visual]) -> dict[str, object]:
    """The template variable of the other medium of a pair; none where there is none."""
    return {"paired": {"image": pictures[0], "frames": tuple(pictures)}} if pictures else {}


def with_sound(rendering: Rendering, sound: Audio) -> Rendering:
    """The conversation with a sound behind its last picture, or where it shows none at the end of its first user turn."""
    turns = list(rendering.messages)
    seen = [
        (k, at)
        for k, turn in enumerate(turns)
        for at, part in enumerate(turn.parts)
        if not isinstance(part, Text)
    ]
    if seen:
        turn, place = seen[-1][0], seen[-1][1] + 1
    else:
        turn = next((k for k, one in enumerate(turns) if one.role == "user"), len(turns) - 1)
        place = len(turns[turn].parts)
    parts = turns[turn].parts
    turns[turn] = replace(turns[turn], parts=(*parts[:place], sound, *parts[place:]))
    return replace(rendering, messages=tuple(turns))


def with_examples(
    record: Mapping[str, Sequence[int | str]] | None, examples: Examples
) -> Mapping[str, Sequence[int | str]] | None:
    """The record of what is shown, with the ids of the few-shot examples."""
    return {**(record or {}), "exemplars": examples.ids} if examples.ids else record


def with_fold(
    record: Mapping[str, Sequence[int | str]] | None, fold: str
) -> Mapping[str, Sequence[int | str]] | None:
    """The record of what is shown, with the fold whose adapter was asked."""
    return {**(record or {}), "fold": [fold]} if fold else record


def _remembered(medium: Medium, last: Medium | None) -> Medium:
    """The medium with each picture read at most once; the last one again where it is the same clip."""
    if last is not None and _same_clip(last, medium):
        return last
    return replace(medium, frames=tuple(Remembered(picture) for picture in medium.frames))


def _same_clip(one: Medium, other: Medium) -> bool:
    return [f.name for f in one.frames] == [f.name for f in other.frames] and replace(
        one, frames=other.frames
    ) == other


class _Variables:
    """Template variables; what depends only on the asked fields is made once."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._fixed: dict[tuple[str, ...], dict[str, object]] = {}

    def of(self, sample: Sample, asks: tuple[str, ...]) -> Mapping[str, object]:
        fixed = self._fixed.get(asks)
        if fixed is None:
            fixed = self._fixed[asks] = prompt_variables(self._task, asks)
        if sample.question is None:
            return fixed
        return {**fixed, "question": sample.question}


def prompt_variables(
    task: Task, asks: Sequence[str], *, question: str | None = None
) -> dict[str, object]:
    """The template variables of a sample that asks these fields, all but the pictures."""
    asked = {name: _defined(task.fields[name]) for name in asks}
    return field_variables(asked, question=question, every=task.fields)


def _defined(spec: FieldSpec) -> FieldSpec:
    """The field with the vocabulary's definitions under the task's own."""
    if not spec.one_label:
        return spec
    known = {**definitions(spec.classes), **spec.definitions}
    return spec.model_copy(update={"definitions": known})

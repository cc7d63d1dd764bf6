"""Few-shot examples: drawn for each sample, their pictures read and cached."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.conditions.shots import of_examples
from harness.core.condition import Condition
from harness.core.errors import HarnessError
from harness.core.generation import Failure
from harness.core.medium import Medium
from harness.core.message import Visual
from harness.core.sample import Sample
from harness.prompting.variables import example_variables
from harness.run.presentation import ShownSample

if TYPE_CHECKING:
    from harness.run.exemplars import ExampleKind, ExamplePool

MOST_HELD = 64
"""Examples whose pictures are held for the next sample that shows them."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The few-shot examples before one sample."""

    ids: tuple[str, ...] = ()
    given: tuple[Mapping[str, Any], ...] = ()
    """For each, what a prompt sees of it."""
    failure: Failure | None = None


NO_EXAMPLES = Examples()


class Gallery:
    """A number of few-shot examples of one task under one condition."""

    def __init__(
        self,
        pool: ExamplePool | None,
        shots: int,
        condition: Condition,
        show: Callable[[Medium, Condition], ShownSample],
    ) -> None:
        """`show` gives the pictures of a medium under a condition, as the run sends them."""
        self._shots = shots
        self._pool = pool
        self._view = of_examples(condition)
        self._show = show
        self._labels: dict[tuple[ExampleKind, tuple[str, ...]], Mapping[str, Sequence[Sample]]] = {}
        self._shown: OrderedDict[str, ShownSample] = OrderedDict()

    def of(self, sample: Sample, asks: tuple[str, ...], pictures: Sequence[Visual]) -> Examples:
        """The examples before a sample that is shown as `pictures`; none of them has the same bytes.

        Where too few can be drawn, or one cannot be read, there is a failure instead.
        """
        if not self._shots or self._pool is None:
            return NO_EXAMPLES
        own = {picture.digest for picture in pictures}
        refused: set[str] = set()
        while True:
            try:
                drawn = self._drawn(self._pool, sample, asks, refused)
            except HarnessError as error:
                return Examples(failure=Failure("unsupported", f"{error.message} ({error.hint})"))
            shown = {one.id: self._shown_of(one) for one in drawn}
            twins = {i for i, seen in shown.items() if own & {p.digest for p in seen.pictures}}
            if not twins:
                return _told(drawn, shown, asks)
            refused |= twins

    def _drawn(
        self, pool: ExamplePool, sample: Sample, asks: tuple[str, ...], refused: set[str]
    ) -> tuple[Sample, ...]:
        from harness.run.exemplars import kind_of

        place = (kind_of(sample, pool.task), asks)
        if place not in self._labels:
            self._labels[place] = pool.labels(*place, self._shots)
        return pool.draw(sample, self._labels[place], self._shots, refused=refused)

    def _shown_of(self, example: Sample) -> ShownSample:
        found = self._shown.pop(example.id, None)
        if found is None:
            found = self._show(example.medium, self._view)
        self._shown[example.id] = found
        while len(self._shown) > MOST_HELD:
            self._shown.popitem(last=False)
        return found


def _told(
    drawn: Sequence[Sample], shown: Mapping[str, ShownSample], asks: tuple[str, ...]
) -> Examples:
    ids = tuple(one.id for one in drawn)
    for one in drawn:
        failure = shown[one.id].failure
        if failure is not None:
            return Examples(
                ids, (), Failure(failure.kind, f"few-shot example {one.id}: {failure.detail}")
            )
    given = tuple(
        example_variables(
            {name: one.targets[name] for name in asks},
            shown[one.id].pictures,
            question=one.question,
        )
        for one in drawn
    )
    return Examples(ids, given)

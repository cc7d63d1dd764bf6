"""Answers of one cell to one field by position: four bytes per answer, eight per log-probability."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias, TypeVar

from harness.core.answer import Answer
from harness.core.generation import LabelScores
from harness.run.dictionary_encoding import Placed

K = TypeVar("K")
V = TypeVar("V")

AnswerColumn: TypeAlias = Placed[Answer]
"""Position of the sample -> answer; pending trials are absent."""


def column_of(columns: dict[K, V], key: K, made: Callable[[], V]) -> V:
    """The column of a cell and field, made where there is none."""
    if key not in columns:
        columns[key] = made()
    return columns[key]


def answer_column(samples: int) -> AnswerColumn:
    """No answers yet."""
    return Placed(samples, key=_alike)


def bare(answer: Answer) -> Answer:
    """The answer without where it stands in the reply, the shares a reply states and the votes: those differ from one to
    the next."""
    if answer.span or answer.shares or answer.votes:
        return Answer(answer.outcome, answer.value, answer.rule)
    return answer


def _alike(answer: Answer) -> Hashable:
    return answer.outcome, type(answer.value), answer.value, answer.rule


class ScoreColumn(Mapping[int, LabelScores]):
    """Position of the sample -> log-probabilities of its labels, in flat blocks."""

    __slots__ = ("_kinds", "_numbers", "_starts")

    def __init__(self, samples: int) -> None:
        self._kinds: Placed[LabelScores] = Placed(samples, key=_but_numbers)
        self._starts = array("q", bytes(8 * samples))
        self._numbers = array("d")

    def __setitem__(self, position: int, scores: LabelScores) -> None:
        self._kinds[position] = scores
        self._starts[position] = len(self._numbers)
        self._numbers.extend(scores.logprobs)

    def __getitem__(self, position: int) -> LabelScores:
        kind, start = self._kinds[position], self._starts[position]
        numbers = tuple(self._numbers[start : start + len(kind.logprobs)])
        return replace(kind, logprobs=numbers)

    def __contains__(self, position: object) -> bool:
        return position in self._kinds

    def __iter__(self) -> Iterator[int]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def _but_numbers(scores: LabelScores) -> Hashable:
    return scores.labels, len(scores.logprobs), scores.tokens, scores.estimator

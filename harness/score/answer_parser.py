"""From replies to answers."""

from __future__ import annotations

from collections.abc import Mapping

from harness.answers.majority import majority
from harness.answers.reader import Reader
from harness.core.answer import Answer
from harness.core.field import FieldSpec
from harness.core.generation import Failure, Generation, Refusal
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.run.sample_file import PlannedSample
from harness.score.channels import scored_answer
from harness.score.members import UNIT, membership, sets_behind
from harness.score.replies import TrialReply

KNOWN_REPLIES = 4096
"""Distinct replies whose reading is remembered: most replies are one of a few words."""

BY_PLATFORM = "refused/platform"
"""The rule of an answer that a filter before or behind the model withheld. Other refusals are the model's."""

FAILED = "failed/"
"""Before the kind of a failure, in the rule of an answer that there is none of."""


class AnswerParser:
    """Replies to one prompt of a task; the same reply to the same fields is parsed once."""

    def __init__(self, task: Task, head: PromptHead, *, unopened: bool = False) -> None:
        """`unopened`: some replies close reasoning that they never opened, so one that was cut off before it closed
        any holds nothing else."""
        self._task = task
        self._head = head
        self._unopened = unopened
        self._sets = sets_behind(task, head)
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._known: dict[tuple[str, tuple[str, ...], bool], Mapping[str, Answer]] = {}

    @property
    def by_sample(self) -> bool:
        """Whether the same reply may be read otherwise for another sample."""
        return bool(self._sets)

    def of(
        self, sample: PlannedSample, reply: TrialReply, asks: tuple[str, ...]
    ) -> Mapping[str, Answer]:
        """The answers to what a sample asks, those that a set holds included; of a vote, what most replies say."""
        if reply.votes:
            read = [self.of(sample, one, asks) for one in reply.votes]
            return {name: majority([answers[name] for answers in read]) for name in read[0]}
        answers = self.answers(reply, asks)
        unit = sample.annotations.get(UNIT)
        for name, behind in self._sets.items() if unit else ():
            if name in answers and answers[name].outcome is Outcome.UNPARSED:
                found = self.answers(reply, (behind,))[behind]
                member = membership(found, str(unit), self._task.fields[behind])
                answers = {**answers, name: member}
        return answers

    def answers(self, reply: TrialReply, asks: tuple[str, ...]) -> Mapping[str, Answer]:
        if reply.generation is None:
            return dict.fromkeys(asks, _failed(reply.failure))
        answers = self._read(reply.generation, self._head.read_from(None, asks))
        for name, generation in zip(self._head.replies, reply.earlier, strict=False):
            answers = {**answers, **self._read(generation, self._head.read_from(name, asks))}
        return {n: _off_list(a) for n, a in answers.items()} if reply.listed else answers

    def _read(self, generation: Generation, asks: tuple[str, ...]) -> Mapping[str, Answer]:
        """What one reply says of the fields that are read from it."""
        if not asks:
            return {}
        if generation.refusal is not None or generation.finish == "filtered":
            return dict.fromkeys(asks, refused(generation.refusal or Refusal("platform")))
        if generation.scores is not None:
            fields, scores = self._task.fields, generation.scores
            return {name: scored_answer(scores, fields[name]) for name in asks}
        cut = generation.finish == "length"
        if cut and self._unopened and not generation.reasoning:
            return dict.fromkeys(asks, Answer(Outcome.TRUNCATED, None, "think/unopened"))
        question = (generation.text, asks, cut)
        answers = self._known.get(question)
        if answers is None:
            answers = self._parse(*question)
            if len(self._known) < KNOWN_REPLIES:
                self._known[question] = answers
        return answers

    def _parse(self, text: str, asks: tuple[str, ...], truncated: bool) -> Mapping[str, Answer]:
        reader = self._readers.get(asks)
        if reader is None:
            fields: dict[str, FieldSpec] = {name: self._task.fields[name] for name in asks}
            languages = (*self._task.languages, *self._head.languages)
            reader = Reader.build(fields, form=self._head.answer, languages=languages)
            self._readers[asks] = reader
        return reader(text, truncated=truncated)


def refused(refusal: Refusal) -> Answer:
    """The answer where a field or status of the reply says who declined."""
    return Answer(
        Outcome.REFUSED, None, BY_PLATFORM if refusal.by == "platform" else "refusal/field"
    )


def _failed(failure: Failure | None) -> Answer:
    return Answer(Outcome.FAILED, None, FAILED + (failure.kind if failure else "bad-reply"))


def _off_list(answer: Answer) -> Answer:
    """An item of a ranked list that is no label of the task is off-list, whatever word it is."""
    if answer.outcome is Outcome.UNPARSED:
        return Answer(Outcome.OFF_LIST, None, "ranked/off-list")
    return answer

"""Majority vote over several replies to the same question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from harness.core.answer import Answer
from harness.core.outcome import Outcome
from harness.core.sample import Value

MOST_NAMED = 4
LONGEST = 40
"""Of a tie, how many answers its rule names, and how many characters of each."""


def majority(answers: Sequence[Answer]) -> Answer:
    """What most of the answers to one field say; those without a value do not vote.

    Of labels, yes or no and texts it is the value that most give; where several are given equally often, the outcome is
    ambiguous and the rule names them. Of numbers it is the median, of sets every name that more than half of the votes
    hold. Where none has a value, the outcome is the commonest reason, the first of equals. Raises ValueError for no
    answers at all.
    """
    if not answers:
        raise ValueError("nothing to vote on: no answers")
    tally = tuple(
        sorted(Counter(map(_told, answers)).items(), key=lambda pair: (-pair[1], pair[0]))
    )
    values = [answer.value for answer in answers if answer.value is not None]
    if not values:
        outcome = Counter(answer.outcome for answer in answers).most_common(1)[0][0]
        return Answer(outcome, None, "vote/none", votes=tally)
    if all(isinstance(value, tuple) for value in values):
        return Answer(Outcome.ANSWERED, _members(values), "vote/members", votes=tally)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        middle = median(value for value in values if isinstance(value, int | float))
        return Answer(Outcome.ANSWERED, middle, "vote/median", votes=tally)
    counted = Counter(values)
    most = max(counted.values())
    first = [value for value in counted if counted[value] == most]
    if len(first) > 1:
        named = sorted(_shown(value)[:LONGEST] for value in first)
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        rule = f"vote/tie: {', '.join(named[:MOST_NAMED])}{more}"
        return Answer(Outcome.AMBIGUOUS, None, rule, votes=tally)
    return Answer(Outcome.ANSWERED, first[0], "vote/most", votes=tally)


def vote_share(answer: Answer) -> float | None:
    """The share of the replies to a vote, of those without a value too, that say what was chosen (0..1).

    None where nothing was voted on, where there is no one answer, and for numbers and sets, of which nobody may have
    said the outcome.
    """
    if answer.rule != "vote/most":
        return None
    told = _shown(answer.value) if answer.value is not None else ""
    total = sum(times for _, times in answer.votes)
    return next((times / total for said, times in answer.votes if said == told), None)


def recorded_share(rule: str, value: Value) -> float | None:
    """The same from the rule that records hold, `vote/most (happiness 3, anger 2)`."""
    if not rule.startswith("vote/most ("):
        return None
    tally = f", {rule.removeprefix('vote/most (').removesuffix(')')}, "
    own = re.search(rf", {re.escape(_shown(value))} (\d+)(?=, )", tally)
    total = sum(int(times) for times in re.findall(r" (\d+)(?=, )", tally))
    return int(own[1]) / total if own and total else None


def _members(values: Sequence[Value]) -> tuple[str, ...]:
    named = Counter(name for value in values if isinstance(value, tuple) for name in value)
    return tuple(sorted(name for name, times in named.items() if 2 * times > len(values)))


def _told(answer: Answer) -> str:
    return f"({answer.outcome.value})" if answer.value is None else _shown(answer.value)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(value) or "none of them"
    return f"{value:g}" if isinstance(value, float) else str(value)

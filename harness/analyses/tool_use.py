"""Tables of how cells use their tools: calls, whether they were needed, what they changed, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.rows.calls import ANNOTATED
from harness.core.blocks import Cell, Number, Table
from harness.run.usage import USAGE
from harness.score.analysis import ScoredTask
from harness.score.naming import who_answered

DEFINITIONS = (
    "Calls: what was meant as a call, right or wrong. Valid: the share of them that were written rightly and carried out, "
    "those that found nothing among them; unknown tools, bad arguments, malformed, forged, repeated calls and calls over a "
    "limit are not.",
    "Trials with a call: the share of trials with at least one valid call. Limit: trials in which a limit ended the calls.",
    "Needed calls made: of the trials that need a call, the share with a valid one. Unnecessary: of the other trials, the "
    "share with a valid call. By annotation: the annotation `suffices` of the data says which picture is enough without a "
    "tool. By hindsight: where no annotation says so, a call counts as needed if the same prompt asked once was wrong; that "
    "is known only afterwards, and includes samples that no tool helps with.",
    "Box overlap: mean intersection over union of the boxes of valid calls (argument `box`) with the true region (annotation "
    "`region`). Calls that name a part of the face are not among them.",
    "Became right, became wrong: trials that were wrong at one look (the same prompt without tools) and are right with "
    "tools, and the reverse; paired, of the trials that both have.",
    "Right with calls, right without: accuracy of the trials with and without a valid call. These are different samples, "
    "mostly harder and easier ones: compare the first with one look on the same samples, which stands beside it.",
    "Requests, tokens, tool seconds: means per trial. Requests are the turns, with the last one. Tokens are of prompts, "
    "pictures among them, and replies, as the server or tokenizer counted them; each turn sends the whole conversation "
    "again. Tool seconds are processor work of the tools on this machine.",
)
"""What the numbers mean, for the page."""


NO_CALL = "no tool was called: these cells do not measure what tools give"
"""Said of cells with tools in which no trial has a call."""


def use_tables(uses: Sequence[Mapping[str, Any]], beside: ScoredTask) -> Iterator[Table]:
    """The tables of rows of `harness.analyses.rows.calls.use_row`; none where there are no rows."""
    if not uses:
        return
    yield Table(
        room="much",
        caption="Calls of tools",
        columns=("Cell", "Trials", "Calls", "A trial", "Trials with a call", "Valid", "Limit"),
        rows=tuple(_calls(row) for row in uses),
    )
    yield Table(
        room="much",
        caption="Whether calls were needed and where they looked",
        columns=("Cell", "Needed calls made", "Unnecessary", "Known by", "Box overlap", "Boxes"),
        rows=tuple(_need(row) for row in uses),
    )
    yield Table(
        room="much",
        caption="What tools changed against one look, and accuracy with and without calls",
        columns=(
            "Cell", "Became right", "Became wrong", "Of", "Right with calls", "One look on the same", "Right without",
        ),
        rows=tuple(_changed(row) for row in uses),
    )  # fmt: skip
    costs = tuple(_took(row, found) for row in uses if (found := usage_of(row, beside)))
    if costs:
        yield Table(
            room="much",
            caption="What a trial takes (means)",
            columns=("Cell", "Requests", "Prompt tokens", "Reply tokens", "Pictures", "Tool seconds"),
            rows=costs,
        )  # fmt: skip


def usage_of(row: Mapping[str, Any], beside: ScoredTask) -> Mapping[str, Any] | None:
    """What the replies of a row's cell took, per trial; None where nothing is known of it.

    Keys: requests, prompt_tokens, completion_tokens (None where the server told none), pictures, tool_seconds, and cost
    with its currency where there is a price. A reply that served several trials counts for each of them: that is what the
    trial takes by itself.
    """
    names = ("model", "prompt", "condition", "channel")
    found = next(
        (
            one
            for one in beside.extras.get(USAGE, ())
            if one["task"] == beside.task.name and all(one[n] == row[n] for n in names)
        ),
        None,
    )
    asked = 0 if found is None else found["replies"] + found["shared"]
    if found is None or not found["replies"] or not row["trials"]:
        return None
    requests = float(asked) / int(row["trials"])
    counted = found["replies"] - found["uncounted"] - found["refused_uncounted"]
    trials = int(row["trials"])

    def a_trial(name: str, known: int) -> float | None:
        """All replies of a trial, those asked elsewhere too; of replies without a count the mean of the others."""
        if known < found["replies"]:
            return float(found[name]) / known * requests if known else None
        return float(found[name] + found.get(f"{name}_again", 0)) / trials

    took = {
        "requests": requests,
        "prompt_tokens": a_trial("prompt_tokens", counted),
        "completion_tokens": a_trial("completion_tokens", counted),
        "pictures": a_trial("pictures", found["replies"]),
        "tool_seconds": found["tool_seconds"] / row["trials"] if "tool_seconds" in found else None,
    }
    if "cost" in found and counted:
        took |= {"cost": found["cost"] / counted * requests, "currency": found["currency"]}
    return took


def _calls(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        who_answered(row), row["trials"], row["calls"], Number(row["calls_a_trial"], digits=2),
        Number(row["calling"]["value"]), Number(row["valid"]), row["at_limit"],
    )  # fmt: skip


def _need(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    overlap = row.get("overlap") or {"n": 0, "value": None}
    by = {None: "", ANNOTATED: "annotation"}.get(row.get("needed_by"), "hindsight")
    return (who_answered(row), _of(row, "needed_made"), _of(row, "unnecessary"), by, Number(overlap["value"]), overlap["n"])  # fmt: skip


def _changed(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    flips = row.get("flips") or {}
    return (
        who_answered(row), flips.get("wrong_to_right"), flips.get("right_to_wrong"), flips.get("n"),
        _of(row, "right_with_calls"), _of(row, "look_with_calls"), _of(row, "right_without_calls"),
    )  # fmt: skip


def _took(row: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Cell, ...]:
    tokens = (Number(found[name], digits=0) for name in ("prompt_tokens", "completion_tokens"))
    return (
        who_answered(row), Number(found["requests"], digits=2), *tokens, Number(found["pictures"], digits=2),
        Number(found["tool_seconds"], digits=3),
    )  # fmt: skip


def _of(row: Mapping[str, Any], name: str) -> Cell:
    """A share; a dash where it is of too few."""
    found = row.get(name) or {"value": None}
    return Number(found["value"])

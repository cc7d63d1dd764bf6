"""Tokens, pictures, seconds and money of the replies, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import heading, row_key, who
from harness.analyses.words import count
from harness.core.blocks import Block, Cell, Column, Lines, Number, Row, Table
from harness.core.price import money
from harness.core.task import Task
from harness.core.text import counted
from harness.run.usage import USAGE
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers

MOST_LINES = 4
"""Where there is little room: more cells than this are told as the sum of each model."""

_SUMS = (
    "replies", "prompt_tokens", "completion_tokens", "reasoning_tokens", "pictures", "videos", "uncounted",
    "refused_uncounted", "shared", "picture_tokens", "shared_tokens", "encoded",
)  # fmt: skip

Entry = Mapping[str, Any]


def _applies(task: Task) -> bool:
    return True


def _compute(answers: TaskAnswers) -> Iterator[Entry]:
    return iter(())  # read off the journal for the whole run, and kept in extras.json


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    found = beside.extras.get(USAGE, ())
    cells = [row for row in found if row["task"]]
    left = next((row for row in found if not row["task"]), None)
    if not cells:
        return
    yield _table(cells)
    yield Lines(lines=tuple(_short(cells)), room="little")
    notes = tuple(_notes(cells, left))
    if notes:
        yield Lines(lines=notes)


def _table(cells: Sequence[Entry]) -> Table:
    reasoned = any(row["reasoning_tokens"] for row in cells)
    filmed = any(row["videos"] for row in cells)
    shared = any(row["shared"] for row in cells)
    seen = any(row.get("picture_tokens") for row in cells)
    common = any(row.get("shared_tokens") for row in cells)
    encoded = any(row.get("encoded") for row in cells)
    currencies = sorted({row["currency"] for row in cells if "cost" in row})
    columns: tuple[Column | str, ...] = (
        "", "Replies", *(["Shared"] if shared else []), "Pictures", *(["Pictures encoded"] if encoded else []),
        *(["Videos"] if filmed else []), Column("Prompt tokens", group="Total"),
        *([Column("Of these shared", group="Total")] if common else []), Column("Reply tokens", group="Total"),
        *([Column("Reasoning tokens", group="Total")] if reasoned else []),
        Column("Prompt tokens", group="Mean per reply"),
        *([Column("Picture tokens", group="Mean per reply")] if seen else []), Column("Reply tokens", group="Mean per reply"),
        Column("Median", group="Seconds per reply"), Column("95%", group="Seconds per reply"),
        *(f"Cost ({currency})" for currency in currencies),
    )  # fmt: skip

    def line(row: Entry, first: Cell, *, timed: bool = True) -> tuple[Cell, ...]:
        counted = row["replies"] - row["uncounted"] - row["refused_uncounted"]
        means = [
            Number(
                row.get(key, 0) / counted if counted and not row.get("wordless") else None, digits=1
            )
            for key in ("prompt_tokens", *(["picture_tokens"] if seen else []), "completion_tokens")
        ]
        times = (
            [row["seconds_median"], row["seconds_95"]] if timed and _timed(row) else [None, None]
        )
        return (
            first, row["replies"], *([row["shared"]] if shared else []),
            row["pictures"], *([row.get("encoded", 0)] if encoded else []), *([row["videos"]] if filmed else []),
            None if row.get("wordless") else row["prompt_tokens"],
            *([row.get("shared_tokens", 0)] if common else []),
            None if row.get("wordless") else row["completion_tokens"],
            *([row["reasoning_tokens"]] if reasoned else []),
            *means, *(Number(seconds, digits=2) for seconds in times),
            *(Number(row["cost"] if row.get("currency") == c else None, digits=4) for c in currencies),
        )  # fmt: skip

    lines = [Row(line(row, who(row_key(row)))) for row in cells]
    if len(cells) > 1:
        sums = _sums(cells)
        costs = [Number(_cost(cells, c), digits=4) for c in currencies]
        whole = line(sums, "total", timed=False)
        lines.append(Row((*whole[: len(whole) - len(costs)], *costs), "total"))
    return Table(
        room="much",
        columns=columns,
        rows=tuple(lines),
        caption="Replies in the journal, each counted once; requests that failed are not among them. "
        + ("Shared: replies that an earlier request had already brought. " if shared else "")
        + ("Tokens shared: read for an earlier prompt, and not again. " if common else "")
        + ("Pictures encoded: those that went through the vision model. " if encoded else "")
        + "Seconds: of a server, from the request to the last byte; of a model run in place, those of the whole batch that a "
        "reply was computed in.",
    )


def _timed(row: Entry) -> bool:
    """Whether it is known how long replies took; of those out of a batch it is not."""
    return float(row["seconds_95"]) > 0


def _sums(cells: Sequence[Entry]) -> dict[str, int]:
    sums = {key: sum(row.get(key, 0) for row in cells) for key in _SUMS}
    return {**sums, "wordless": all(row.get("wordless", False) for row in cells)}


def _cost(cells: Sequence[Entry], currency: str) -> float:
    return sum((float(row["cost"]) for row in cells if row.get("currency") == currency), 0.0)


def _short(cells: Sequence[Entry]) -> Iterator[str]:
    """One line for each cell; for each model where there are many."""
    if len(cells) <= MOST_LINES:
        for row in cells:
            seconds = (
                f"; {row['seconds_median']:.2f} s per reply (median; 95% within {row['seconds_95']:.2f} s)"
                if row["replies"] and _timed(row)
                else ""
            )
            yield f"{' '.join(heading(row_key(row)))}: {_words(row, _costs([row]))}{seconds}"
        return
    for model in dict.fromkeys(row["model"] for row in cells):
        mine = [row for row in cells if row["model"] == model]
        yield f"{model}, {len(mine)} cells: {_words(_sums(mine), _costs(mine))}"


def _words(row: Mapping[str, int], costs: str) -> str:
    thought = f" ({count(row['reasoning_tokens'])} reasoning)" if row["reasoning_tokens"] else ""
    films = f", {counted(row['videos'], 'video')}" if row["videos"] else ""
    common = f" ({count(row['shared_tokens'])} shared)" if row.get("shared_tokens") else ""
    coded = f" ({count(row['encoded'])} encoded)" if row.get("encoded") else ""
    tokens = (
        ""
        if row.get("wordless")
        else f", {count(row['prompt_tokens'])} prompt{common} and {count(row['completion_tokens'])} reply tokens{thought}"
    )
    return f"{counted(row['replies'], 'reply', 'replies')}, {counted(row['pictures'], 'picture')}{coded}{films}{tokens}{costs}"


def _costs(cells: Sequence[Entry]) -> str:
    """`, 1.20 USD`; `at least` where token counts are missing."""
    least = "at least " if any(row["uncounted"] for row in cells) else ""
    currencies = sorted({row["currency"] for row in cells if "cost" in row})
    return "".join(f", {least}{money(_cost(cells, c), c)}" for c in currencies)


def _notes(cells: Sequence[Entry], left: Entry | None) -> Iterator[str]:
    for row in cells:
        name = " ".join(heading(row_key(row)))
        if row["uncounted"]:
            yield (
                f"{name}: no token counts were reported for {count(row['uncounted'])} of {count(row['replies'])} "
                f"replies; the sums leave them out"
            )
        if row.get("second_replies"):
            yield (
                f"{name}: {count(row['second_replies'])} of the replies are of a second model, whose price is not known: no cost "
                "is told"
            )
        if row["refused_uncounted"]:
            yield (
                f"{name}: {count(row['refused_uncounted'])} requests refused by the platform have no token counts and "
                "add nothing to the sums"
            )
    for model in dict.fromkeys(row["model"] for row in cells):
        yield from _sharing(model, [row for row in cells if row["model"] == model])
    if left is not None:
        costs = _costs([left])
        yield (
            f"{count(left['replies'])} more replies in this folder belong to no cell of its tables (from "
            f"earlier settings or interrupted trials): {count(left['prompt_tokens'])} prompt and "
            f"{count(left['completion_tokens'])} reply tokens{costs}"
        )


def _sharing(model: str, mine: Sequence[Entry]) -> Iterator[str]:
    """What was read once for several prompts, beside what had been predicted: by the counters of the server, else by the
    replies."""
    foreseen, told = mine[0].get("shared_foreseen"), mine[0].get("cache_counts")
    predicted = (
        "" if foreseen is None
        else f"; {foreseen:.1%} had been predicted from first steps of some samples"
    )  # fmt: skip
    whole = sum(row["prompt_tokens"] for row in mine)
    shared = sum(row.get("shared_tokens", 0) for row in mine)
    if told is not None:
        pictures = (
            f", and {count(told['pictures_cached'])} of {count(told['pictures'])} pictures among those it had prepared"
            if told["pictures"]
            else ""
        )
        yield (
            f"{model}: by its own counters, {told['server']} found {told['cached_tokens'] / told['prompt_tokens']:.1%} of the "
            f"prompt tokens ({count(told['cached_tokens'])} of {count(told['prompt_tokens'])}) in its cache{pictures}, while "
            f"{counted(told['requests'], 'request')} of this run were asked; requests of other clients in that time "
            f"count too{predicted}"
        )
    elif whole and (shared or (foreseen and any("encoded" in row for row in mine))):
        yield (
            f"{model}: {shared / whole:.1%} of prompt tokens were shared (read for an earlier prompt, and not again){predicted}"
        )
    elif foreseen:
        yield (
            f"{model}: neither the replies nor the counters of its servers told how many prompt tokens were shared{predicted}"
        )


ANALYSIS = ShippedAnalysis(
    name="usage",
    title="Tokens, time and cost",
    about="every task: tokens, pictures and seconds of the replies of each cell, and costs where prices are given",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    order=80,
)

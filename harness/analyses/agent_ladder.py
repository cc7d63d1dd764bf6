"""The ladder of an agent: blank picture, one look, votes, tools given unasked, agent, with what each costs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.rows.ladder import (
    AGENT,
    BEST,
    BLANKED,
    GIVEN,
    LOOK,
    RUNGS,
    VOTES,
    ladder_rows,
    rungs,
)
from harness.analyses.rows.tool_trials import read_trials, told_cell
from harness.analyses.rows.tools import alteration_in, family
from harness.analyses.tool_use import NO_CALL, usage_of
from harness.analyses.words import metric_name, signed_difference
from harness.core.blocks import Block, Lines, Number, Table
from harness.core.marks import REGION, read_region
from harness.core.task import Task
from harness.core.tools_asked import PERFECT
from harness.metrics import main_metric
from harness.run.sample_file import read_lean_samples
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers

BOXED = "zoom"
"""The tool that is proposed where calls name a box."""
MOST_VOTES = 100
CALLS: Mapping[str, str] = {
    "zoom": "region=face",
    "measure": "unit=12",
    "facs": "unit=12",
    "magnify": "factor=5",
}
"""Tool -> arguments of a call that is proposed; others are proposed without any."""

CAPTION = (
    "The ladder: the same samples and prompt, asked in ways that cost more and more. Score: the main metric, strict, with its "
    "95% interval. More than one look: difference of accuracies, paired. Requests, tokens (prompts with their pictures, and "
    "replies) and tool seconds are means per trial; “times one look” are its tokens by those of one look"
)


def _applies(task: Task) -> bool:
    return any(spec.scored and spec.one_label for spec in task.fields.values())


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    cells = {cell.id: cell for cell in answers.cells if not cell.asked_as}
    agents = [c for c in cells.values() if c.tools and alteration_in(c.tools)[1] in {"", PERFECT}]
    if not agents:
        return
    ladders = {
        base: tuple(rungs(base, cells.values())) for base in dict.fromkeys(map(family, agents))
    }
    wanted = {cell.id: cell for steps in ladders.values() for _, cell in steps}
    fields = [n for n, spec in answers.task.fields.items() if spec.scored and spec.one_label]
    trials, _ = read_trials(answers, wanted, fields)
    regions = sum(
        read_region(one.annotations.get(REGION)) is not None
        for one in read_lean_samples(answers.samples_file, {REGION})
    )
    for name in fields:
        mine = {cell: found for (cell, at), found in trials.items() if at == name}
        for base, steps in ladders.items():
            for cell, found in ladder_rows(steps, mine, seed=answers.seed):
                yield {
                    **told_cell(cell),
                    "of": base.shown_condition,
                    "field": name,
                    "regions": regions,
                    **found,
                }


Rows = Sequence[Mapping[str, Any]]


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    ladders: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["model"], row["prompt"], row["of"], row["field"])
        ladders.setdefault(key, []).append(row)
    for (model, prompt, of, field), steps in ladders.items():
        words = [model, prompt, *([of] if of != "none" else []), field]
        yield _table(" · ".join(words), steps, beside)
        yield Lines(lines=tuple(_told(steps, beside)))


def _table(title: str, steps: Rows, beside: ScoredTask) -> Table:
    field = steps[0]["field"]
    metric = main_metric(beside.task.fields[field])
    look = _tokens(next((one for one in steps if one["rung"] == LOOK), None), beside)
    priced = sorted({c for one in steps if (c := (usage_of(one, beside) or {}).get("currency"))})
    lines = []
    for one in steps:
        took = usage_of(one, beside) or {}
        tokens = _tokens(one, beside)
        more = one["more"].get(LOOK, {})
        lines.append(
            (
                _rung(one), one["trials"], _score(one, metric, beside), _number(one["accuracy"]), _number(more),
                Number(took.get("requests"), digits=2), Number(tokens, digits=0),
                Number(tokens / look if tokens and look else None, digits=1), Number(took.get("tool_seconds"), digits=3),
                *(Number(took.get("cost") if took.get("currency") == c else None, digits=5) for c in priced),
            )
        )  # fmt: skip
    return Table(
        title=title,
        caption=CAPTION,
        columns=(
            "Rung", "Trials", metric_name(metric), "Accuracy", "More than one look", "Requests", "Tokens",
            "Times one look", "Tool seconds", *(f"Cost ({c})" for c in priced),
        ),
        rows=tuple(lines),
    )  # fmt: skip


def _rung(row: Mapping[str, Any]) -> str:
    if row["rung"] == VOTES:
        return f"{RUNGS[VOTES]} ({row['protocol']})"
    tools = f", tools {row['offered']}" if row["offered"] else ""
    said = f" ({row['protocol']}{tools})" if tools else ""
    return f"{RUNGS[row['rung']]}{said}"


def _number(found: Mapping[str, Any]) -> Number:
    return Number(found.get("value"), found.get("low"), found.get("high"))


def _score(row: Mapping[str, Any], metric: str, beside: ScoredTask) -> Number:
    """The main metric of a cell on the whole task; empty where the task is scored by its parts alone."""
    for one in beside.scores:
        if (one.slice, one.field, one.metric) == ("all", row["field"], metric) and (
            one.model, one.prompt, one.condition, one.channel
        ) == (row["model"], row["prompt"], row["condition"], row["channel"]):  # fmt: skip
            return Number(one.value, one.low, one.high)
    return Number(None)


def _tokens(row: Mapping[str, Any] | None, beside: ScoredTask) -> float | None:
    """Tokens of a trial: prompts, with their pictures, and replies."""
    took = None if row is None else usage_of(row, beside)
    if took is None or took["prompt_tokens"] is None:
        return None
    return float(took["prompt_tokens"] + took["completion_tokens"])


def _told(steps: Rows, beside: ScoredTask) -> Iterator[str]:
    """What the agent is worth, and the rungs that were not asked with the command that adds them."""
    agent = next((one for one in steps if one["rung"] == AGENT), None)
    silent = [one for one in steps if one.get("calls") == 0]
    if silent:
        yield f"{', '.join(map(_rung, silent))}: {NO_CALL}."
    best = next((one for one in steps if one["rung"] == BEST), None)
    for one in (agent, best):
        if one is not None and one not in silent:
            yield from _more(one)
    votes, said = votes_at_equal_tokens(steps, beside)
    yield said
    for one in steps:
        if one["rung"] == VOTES and votes is not None and one["protocol"] != f"vote-{votes}":
            yield f"{one['protocol']} was asked, which is not at equal tokens: the columns of tokens say by how much."
    present = {one["rung"] for one in steps}
    tools = next((one["offered"] for one in steps if one["offered"]), "").partition(":")[0]
    for rung, options in _options(tools, votes).items():
        if rung not in present:
            yield f"Not asked: {RUNGS[rung]}. Add it: {_command(steps[0], beside, options)}"
    if best is None:
        yield _without_best(tools, steps, beside)


def _more(row: Mapping[str, Any]) -> Iterator[str]:
    """What a rung is more than those below it."""
    for name, found in row["more"].items():
        if found["value"] is not None:
            yield f"The {RUNGS[row['rung']]} less {RUNGS[name]}, accuracy: {signed_difference(found)}."


def _without_best(tools: str, steps: Rows, beside: ScoredTask) -> str:
    """How the rung of perfect tools is added, or what it takes."""
    if not any(one["regions"] for one in steps):
        return (
            f"Not asked: {RUNGS[BEST]}. It takes the annotation `{REGION}`, which says where the answer is to be seen, and no "
            "sample has it."
        )
    if BOXED not in tools.split("+"):
        return f"Not asked: {RUNGS[BEST]}. It takes a tool whose calls name a box, such as {BOXED}."
    command = _command(steps[0], beside, f"--tools {tools}:{PERFECT} --protocol agent")
    return f"Not asked: {RUNGS[BEST]}. Add it: {command}"


def votes_at_equal_tokens(steps: Rows, beside: ScoredTask) -> tuple[int | None, str]:
    """How many votes the tokens of the agent buy, and that in words; None where tokens were not counted."""
    by = {one["rung"]: _tokens(one, beside) for one in reversed(steps)}
    agent, look = by.get(AGENT), by.get(LOOK)
    if not agent or not look:
        return None, (
            "How many votes the tokens of the agent would buy is not known: it takes both an agent and one look, with token "
            "counts of the server."
        )
    votes = min(MOST_VOTES, max(2, round(agent / look)))
    return votes, (
        f"A trial of the agent takes {agent / look:.1f} times the tokens of one look: at equal tokens it has {votes} votes for a "
        f"rival (vote-{votes})."
    )


def _options(tools: str, votes: int | None) -> dict[str, str]:
    """Rung -> the options of the command that asks it."""
    first = tools.partition("+")[0] or "zoom"
    arguments = f",{CALLS[first]}" if first in CALLS else ""
    return {
        BLANKED: "--condition blank --tools none",
        LOOK: "--tools none",
        VOTES: f"--tools none --protocol vote --repeats {votes or 5} --temperature 0.7",
        GIVEN: f"--tools {tools} --protocol given:{first}{arguments}",
        AGENT: f"--tools {tools} --protocol agent",
    }


def _command(row: Mapping[str, Any], beside: ScoredTask, options: str) -> str:
    condition = (
        "" if "--condition" in options or row["of"] == "none" else f" --condition {row['of']}"
    )
    asked = ["--model", row["model"], "--prompt", row["prompt"]]
    if (known := _as_asked(beside.manifest)) is not None:
        task, rest, out = known
        return f"`{shlex.join(['harness', 'run', task, *asked, *rest])}{condition} {options} --out {shlex.quote(out)}`"
    words = shlex.join(["harness", "run", beside.task.name, *asked])
    return f"`{words}{condition} {options} --out RUN` with the other options of this run."


_REPLACED = frozenset(
    {"--model", "--prompt", "--condition", "--tools", "--protocol", "--repeats", "--temperature", "--out"}
)  # fmt: skip
"""Options of the command that a rung brings anew; each takes one value."""


def _as_asked(manifest: Mapping[str, Any]) -> tuple[str, list[str], str] | None:
    """Task, options that stay and folder of the command of a run; None where they are not all known, as in an export, of
    several tasks or of an experiment's file."""
    words = [str(word) for word in manifest.get("command", ())]
    if (
        words[:2] != ["harness", "run"]
        or manifest.get("experiment")
        or any("***" in w for w in words)
    ):
        return None
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    if first != 3:
        return None
    rest, out, at = list[str](), "", first
    while at < len(words):
        name, equals, value = words[at].partition("=")
        if name not in _REPLACED:
            rest.append(words[at])
        elif name == "--out":
            out = value if equals else words[at + 1]
        at += 1 if equals or name not in _REPLACED else 2
    return (words[2], rest, out) if out else None


ANALYSIS = ShippedAnalysis(
    name="agent-ladder",
    title="Ladder of the agent",
    about="cells with `--tools`: the agent beside a blank picture, one look, votes at equal tokens, tools given unasked, and itself "
    "with perfect tools; what each costs, and the command for what was not asked",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="ladder",
    in_task=True,
    order=20,
)

"""Trajectories of agents: which trials are drawn as filmstrips, and the steps of each, as the journal has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.rows.tools import alteration_in, family
from harness.answers.reasoning import spoken
from harness.core.cell import Cell
from harness.core.task import Task
from harness.core.tool import LIMIT_RULE, UNASKED
from harness.core.tools_asked import NOISE
from harness.protocols.calls import outside_calls
from harness.protocols.ways import closings
from harness.report.grid import is_right, plain, told_of
from harness.report.inputs import RunView, read_conversations
from harness.run.cell_entry import cell_of
from harness.run.columns import read_table
from harness.run.log import read_log

EACH = 2
"""Trials of each kind shown of a cell."""
MOST = 48
"""Trials shown on a page; where there are more, one of each kind, and then the first."""
LONGEST = 400
"""Characters of a text that are shown."""

KINDS: Mapping[str, str] = {
    "right": "Wrong at one look, right with tools",
    "wrong": "Right at one look, wrong with tools",
    "followed": "Says what the tools showed of another sample",
    "own": "Says the truth although the tools showed another sample",
    "limit": "A limit ended the calls",
    "usual": "A trial with calls",
}
"""Kind of trial -> its heading; `usual` stands where a cell has no other."""

_COLUMNS = ("trial", "task", "sample", "field", "prompt", "outcome", "value", "target")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `shown`, `call`, `seen` (what a tool gave), or `reply`."""

    kind: str
    title: str
    text: str = ""
    call: int = -1
    """Of `seen`, the number of the trial's call whose pictures belong here, -1 for none."""
    note: str = ""
    code: str = ""
    """Of `call`, the call as it was read."""


@dataclass(frozen=True, slots=True)
class Film:
    """One trial."""

    kind: str
    task: str
    cell: Mapping[str, Any]
    """The manifest's entry."""
    sample: str
    repeat: str
    field: str
    truth: str
    answer: str
    right: bool | None
    look: str
    """What the model said when it was asked once; empty where it was not."""
    calls: tuple[Sequence[Any], ...]
    steps: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """The cell in words."""
        return " · ".join(heading(row_key(self.cell)))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a trial says of the field that is looked at."""

    value: str | None
    target: str | None
    right: bool | None
    calls: str
    limited: bool


def choose_films(view: RunView) -> tuple[Film, ...]:
    """The trials that are shown, without their steps: of each cell with tools up to EACH of each kind, in an order that
    the ids alone decide."""
    cells = {entry["id"]: entry for entry in view.manifest["cells"]}
    offered = [entry for entry in cells.values() if entry.get("tools")]
    if not offered:
        return ()
    made = {i: cell_of(entry) for i, entry in cells.items()}
    families = {family(made[entry["id"]]) for entry in offered}
    wanted = {i: cell for i, cell in made.items() if family(cell) in families}
    fields = {name: _field(task) for name, task in view.tasks.items()}
    answers = _answers(view, wanted, fields)
    found: list[Film] = []
    for entry in offered:
        cell = made[entry["id"]]
        look = next((i for i, c in wanted.items() if not c.tools and c == family(cell)), "")
        field = fields[entry["task"]]
        if field:
            own = answers.get(look, {})
            truths = _truths(answers, wanted, cell)
            mine = answers.get(entry["id"], {})
            found += _of_cell(_Asked(entry, cell, field), mine, own, truths)
    if len(found) > MOST:
        found = list({(f.cell["id"], f.kind): f for f in reversed(found)}.values())[::-1][:MOST]
    return tuple(found)


def _field(task: Task) -> str:
    """The field that trials are chosen by: the first scored one with one label, else the first scored one."""
    scored = [name for name, spec in task.fields.items() if spec.scored]
    return next((n for n in scored if task.fields[n].one_label), scored[0] if scored else "")


def _answers(
    view: RunView, cells: Mapping[str, Cell], fields: Mapping[str, str]
) -> dict[str, dict[str, _Answer]]:
    """Cell id -> repeat and sample -> its answer."""
    found: dict[str, dict[str, _Answer]] = {}
    for row in read_table(view.folder.records, needs=_COLUMNS):
        cell, _, key = row["trial"].partition("/")
        known = cells.get(cell)
        if known is None or row["prompt"] != known.prompt or row["field"] != fields[row["task"]]:
            continue
        spec = view.tasks[row["task"]].fields[row["field"]]
        value, target = plain(row["value"]), plain(row["target"])
        right = is_right(spec.kind, value, target)
        if value is None and target is not None:
            right = False
        found.setdefault(cell, {})[key] = _Answer(
            told_of(spec, value) or row["outcome"], told_of(spec, target), right, row.get("calls") or "", LIMIT_RULE in (row.get("fallback") or "")
        )  # fmt: skip
    return found


def _truths(
    answers: Mapping[str, Mapping[str, _Answer]], cells: Mapping[str, Cell], cell: Cell
) -> dict[str, str | None]:
    """Sample -> its true value, from all cells of a task."""
    mine = [found for i, found in answers.items() if cells[i].task == cell.task]
    return {key.partition("/")[2]: one.target for found in mine for key, one in found.items()}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A cell, as the manifest has it and made, and the field that its trials are chosen by."""

    entry: Mapping[str, Any]
    cell: Cell
    field: str


def _of_cell(
    asked: _Asked,
    answers: Mapping[str, _Answer],
    look: Mapping[str, _Answer],
    truths: Mapping[str, str | None],
) -> Iterator[Film]:
    lies = alteration_in(asked.cell.tools)[1]
    chosen: dict[str, list[Film]] = {kind: [] for kind in KINDS}
    for key in sorted(answers, key=_digest):
        one = answers[key]
        if not one.calls or all(len(some) >= EACH for some in chosen.values()):
            continue
        own = look.get(key)
        calls = tuple(json.loads(one.calls))
        donor = next((str(c[5]) for c in calls if c[3] == "ok" and c[5]), "")
        kind = _kind(one, own, truths.get(donor), swapped=lies == "swap" or lies.startswith(NOISE))
        repeat, _, sample = key.partition("/")
        if len(chosen[kind]) < EACH:
            chosen[kind].append(
                Film(
                    kind, asked.cell.task, asked.entry, sample, repeat, asked.field, one.target or "", one.value or "",
                    one.right, (own.value or "") if own else "", calls,
                )
            )  # fmt: skip
    if any(some for kind, some in chosen.items() if kind != "usual"):
        del chosen["usual"]
    for some in chosen.values():
        yield from some


def _kind(one: _Answer, own: _Answer | None, shown: str | None, *, swapped: bool) -> str:
    if swapped and shown is not None and shown != one.target:
        if one.value == shown:
            return "followed"
        if one.right:
            return "own"
    if one.limited:
        return "limit"
    if own is not None and own.right is False and one.right:
        return "right"
    return "wrong" if own is not None and own.right and one.right is False else "usual"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]


@dataclass(frozen=True, slots=True)
class Talk:
    """What the journal holds of one trial."""

    replies: tuple[str, ...]
    turns: tuple[Sequence[str], ...]
    """(role, text) of the last conversation."""
    first: int
    """How many of these turns stood in the first request."""

    def observed(self, turn: int) -> str:
        """What was told behind the reply of a turn, 1 and up: what tools gave where that has turns of its own."""
        behind = self.turns[self.first :]
        starts = [at for at, (role, _) in enumerate(behind) if role == "assistant"]
        if turn > len(starts):
            return ""
        end = starts[turn] if turn < len(starts) else len(behind)
        told = behind[starts[turn - 1] + 1 : end]
        tools = [text for role, text in told if role == "tool"]
        return "\n".join(tools or [text for _, text in told])


def read_talks(view: RunView, films: Iterable[Film]) -> dict[tuple[str, str, str], Talk]:
    """(cell id, repeat, sample) -> the conversation of a trial, from one pass over each log."""
    wanted = {f"{f.cell['id']}/{f.repeat}/{f.sample}": f for f in films}
    keys: dict[str, Sequence[str]] = {}
    for _, line in read_log(view.folder.trials) if wanted else ():
        film = wanted.get(line["trial"])
        if film is not None and line["basis"] in (film.cell["basis"], *film.cell.get("also", ())):
            keys[line["trial"]] = line["keys"]
    asked = {key for some in keys.values() for key in some}
    held: dict[str, tuple[str, str, Sequence[Sequence[str]]]] = {}
    for _, line in read_log(view.folder.generations) if asked else ():
        if line["key"] in asked and "model" not in line:
            own = line.get("loop", {}).get("turns", ())
            held[line["key"]] = (line["text"], line["conversation"], own)
    keys = {trial: [key for key in some if key in held] for trial, some in keys.items()}
    ends = {one[at] for one in keys.values() if one for at in (0, -1)}
    said = read_conversations(view.folder, {held[key][1] for key in ends if key in held})
    found = {}
    for trial, some in keys.items():
        if not some:
            continue
        first, last = (said.get(held[some[at]][1], []) for at in (0, -1))
        cell, repeat, sample = trial.split("/", 2)
        replies = tuple(spoken(held[key][0]) for key in some)
        if own := held[some[-1]][2]:  # a model with a loop of its own
            said_before = [text for role, text in own if role == "assistant"][:-1]
            replies = (*said_before, replies[-1])
        found[cell, repeat, sample] = Talk(replies, (*last, *own), len(first))
    return found


def film_steps(film: Film, talk: Talk | None) -> Iterator[Step]:
    """The steps of a trial in their order. Without a `talk` there are its calls alone."""
    yield Step("shown", "Shown")
    way = film.cell.get("tool_settings", {}).get("protocol", {}).get("way", "text")
    way = "text" if way == "own" else way  # as its turns are written
    for number, call in enumerate(film.calls):
        if call[0] == UNASKED:
            note = f"of another sample: {call[5]}" if call[5] else ""
            yield Step("seen", "Given unasked", _called(call), number, note)
    replies = talk.replies if talk is not None else ()
    turns = max(len(replies), *(int(call[0]) for call in film.calls), 0)
    for turn in range(1, turns + 1):
        mine = [(n, call) for n, call in enumerate(film.calls) if call[0] == turn]
        reply = replies[turn - 1] if turn <= len(replies) else ""
        last = bool(replies) and turn == len(replies)
        beside = reply if last and not mine else outside_calls(way, reply)
        for _, call in mine:
            if not call[1]:  # a call that could not be read, whose text stands in its own step
                beside = beside.replace(str(call[2]), "").strip()
        for place, (number, call) in enumerate(mine):
            said = "" if place or last else _short(beside)
            yield Step("call", f"Call {number + 1}", said, note=_status(call), code=_called(call))
        if last or (beside and not mine):
            yield Step("reply", f"Reply {turn}", _short(beside))
        if last:
            return
        text = "" if talk is None else talk.observed(turn)
        yield from _seen(mine, turn, _plainly(way, text))


def _seen(mine: Sequence[tuple[int, Sequence[Any]]], turn: int, text: str) -> Iterator[Step]:
    """What came of the calls of a turn: its text as the model was told it, then the pictures of each call."""
    pictured = [(n, call) for n, call in mine if call[4]]
    donors = dict.fromkeys(str(call[5]) for _, call in mine if call[5])
    note = f"of another sample: {', '.join(donors)}" if donors else ""
    first = pictured[0][0] if pictured else -1
    yield Step("seen", f"Observation {turn}", _short(text), first, note)
    for number, call in pictured[1:]:
        yield Step("seen", f"Observation {turn}, of call {number + 1}", "", number, str(call[5]))


def _called(call: Sequence[Any]) -> str:
    return f"{call[1] or '(unreadable)'} {_short(str(call[2]))}".strip()


def _status(call: Sequence[Any]) -> str:
    return "" if call[3] == "ok" else str(call[3])


def _plainly(way: str, text: str) -> str:
    """A turn of observations without its tags, markers of pictures and closing sentence."""
    for word in ("<tool_response>", "</tool_response>", *closings(way)):
        text = text.replace(word, "")
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("[image "))


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

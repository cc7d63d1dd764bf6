"""How many tokens are still to be paid, before they are: from replies that are there, else from the chat template and
the picture tokens of some samples, else not known yet."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from harness.core.cell import Cell, sample_of
from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.model import Measured, Measuring, Model
from harness.core.picture import FilePicture
from harness.core.price import Price, money
from harness.core.protocol import Ask, UsingTools
from harness.core.request import Request, Sampling, make_request
from harness.core.text import counted
from harness.models import runs_in_place
from harness.models.counting import CountsTokens, MeasuresTokens
from harness.prompting.library import Library
from harness.protocols.registry import load_protocol
from harness.protocols.steps import take_step
from harness.run.axes import Axes, sampling_for
from harness.run.folder import RunFolder
from harness.run.plan import Plan, trials_of
from harness.run.planned_task import PlannedTask
from harness.run.prepare import Prepared, prepare
from harness.run.shared_prompts import BLOCK, SharedPrompts
from harness.run.usage import Used, read_usage

LOOKED_AT = 20
"""Samples of a cell whose prompts are counted, chosen by the seed."""
LARGEST = 3
"""Samples with the largest files that are looked at besides."""
MOST_FILES = 50_000
"""Samples among which the largest files are looked for."""
REMEDY = (
    "use --pixels 0.25MP for smaller pictures, --max-tokens for shorter replies, or fewer --shots"
)


_HELLO = make_request((Message("user", (Text("Hello."),)),), Sampling(), model="")
"""Shows whether a model says how long a request is, before samples are read for it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one cell still asks."""

    cell: Cell
    requests: int
    """Still to be put."""
    prompt: float | None = None
    """Tokens of a request, on average; None: not known."""
    reply: float | None = None
    """Tokens of a reply, on average; None: not known, at most `most`."""
    most: int = 0
    source: str = ""
    """Where the numbers come from, in words; empty where nothing is known."""
    too_long: tuple[str, ...] = ()
    """Samples among those looked at whose prompt and longest reply are over the context length."""
    longest: int | None = None
    """The context length, in tokens."""

    def row(self, price: Price | None) -> dict[str, Any]:
        """As plain JSON; `cost` is (least, most)."""
        found: dict[str, Any] = {
            "task": self.cell.task, "model": self.cell.model, "prompt": self.cell.prompt,
            "condition": self.cell.shown_condition, "channel": self.cell.taken, "requests": self.requests,
            "source": self.source or "not known yet",
        }  # fmt: skip
        if self.prompt is not None:
            found["prompt_tokens"] = round(self.prompt * self.requests)
            known = self.reply is not None
            found["reply_tokens" if known else "reply_tokens_at_most"] = self._replies
            if price is not None:
                found |= {"cost": list(self._cost(price)), "currency": price.currency}
        if self.too_long:
            found |= {"too_long": list(self.too_long), "context_length": self.longest}
        return found

    @property
    def _replies(self) -> int:
        return round((self.most if self.reply is None else self.reply) * self.requests)

    def cost(self, price: Price) -> tuple[float, float] | None:
        """The least and the most that is still to be paid; None where the tokens are not known."""
        return None if self.prompt is None else self._cost(price)

    def _cost(self, price: Price) -> tuple[float, float]:
        prompt = round((self.prompt or 0) * self.requests)
        least = 0 if self.reply is None else self._replies
        return tuple(
            round(price.of(prompt=prompt, completion=n), 6) for n in (least, self._replies)
        )  # type: ignore[return-value]

    def line(self, price: Price | None, *, model: str) -> str:
        """In words, for the plan; `model` is the name that is shown."""
        cell = self.cell
        shown = "" if cell.shown_condition == "none" else f" {cell.shown_condition}"
        name = f"{model} {cell.prompt}{shown}"
        if self.prompt is None:
            return f"{name}: tokens not known before there are replies"
        replies = (
            f"at most {self._replies:,} reply tokens"
            if self.reply is None
            else f"{self._replies:,} reply tokens"
        )
        paid = ""
        if price is not None:
            least, most = self._cost(price)
            between = f"{money(least, price.currency)} to " if least != most else ""
            paid = f", {between}{money(most, price.currency)}"
        return (
            f"{name}: about {round(self.prompt * self.requests):,} prompt and {replies} remaining{paid} "
            f"({self.source})"
        )

    def warning(self, *, model: str) -> str:
        """What does not fit, in words; empty where all that was looked at does."""
        if not self.too_long:
            return ""
        return (
            f"{model} {self.cell.prompt}: {len(self.too_long)} of the checked samples exceed the context length with "
            f"a reply of {self.most:,} tokens (limit {self.longest:,} tokens), such as {self.too_long[0]}; "
            f"{REMEDY}"
        )


def forecast(
    plan: Plan,
    axes: Axes,
    library: Library,
    samples: RunFolder,
    *,
    done: Mapping[str, int],
    folder: RunFolder,
    before: Mapping[str, Any],
    counters: Mapping[str, CountsTokens | None],
    shared: dict[str, SharedPrompts] | None = None,
) -> list[Forecast]:
    """One for each cell of which something is left to ask. What prompts share is put into `shared`, by model.

    `samples` is the folder that holds the plan's samples, `folder` the run's with its manifest `before`; `counters` are
    those of the models whose processor is at hand.
    """
    used = _used(folder, before, plan)
    left = [cell for cell in plan.cells if plan.counts[cell.id] > done.get(cell.id, 0)]
    several = Counter(cell.model for cell in left)
    looked = [
        c for c in left if counters.get(c.model) or (shared is not None and several[c.model] > 1)
    ]
    counted = count_prompts(
        plan, axes, library, samples, cells=looked, counters=counters, shared={} if shared is None else shared
    )  # fmt: skip
    found = []
    for cell in left:
        requests = (plan.counts[cell.id] - done.get(cell.id, 0)) * plan.requests[cell.id]
        task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
        most = sampling_for(task, prompt, axes, cell.model).max_tokens
        tokens = counted.get(cell.id, {})
        counter = counters.get(cell.model)
        longest = None if counter is None else counter.longest
        over = tuple(s for s, n in tokens.items() if longest is not None and n + most > longest)
        known, prompt_tokens, reply, source = used.get(cell.id), None, None, ""
        if known is not None:
            told = known.replies - known.uncounted
            prompt_tokens, reply = known.prompt / told, known.completion / told
            source = f"from its {told:,} {'reply' if told == 1 else 'replies'} in the folder"
        elif tokens:
            prompt_tokens = sum(tokens.values()) / len(tokens)
            first = " first steps of" if plan.requests[cell.id] > 1 else ""
            source = f"counted by the model's own processor for{first} {len(tokens)} samples"
        found.append(
            Forecast(cell, requests, prompt_tokens, reply, most, source, over, longest)
        )  # fmt: skip
    return found


def _used(folder: RunFolder, before: Mapping[str, Any], plan: Plan) -> dict[str, Used]:
    """Cell id -> what its replies took, of cells whose prompt is as it was."""
    if not before:
        return {}
    digests = {cell.id: plan.prompts[cell.prompt].digest for cell in plan.cells}
    found = read_usage(folder, before)
    return {
        entry["id"]: used
        for entry in before["cells"]
        if not entry.get("asked_as")
        and digests.get(entry["id"]) == entry.get("prompt_digest", "")
        and (used := found[entry["id"], entry["prompt"]]).replies > used.uncounted
    }


def count_prompts(
    plan: Plan,
    axes: Axes,
    library: Library,
    samples: RunFolder,
    *,
    cells: Sequence[Cell],
    counters: Mapping[str, CountsTokens | None],
    shared: dict[str, SharedPrompts],
) -> dict[str, dict[str, int]]:
    """Cell id -> sample -> tokens of its first prompt, of some samples. What prompts share is added to `shared`, by
    model."""
    found: dict[str, dict[str, int]] = {}
    for cell, sample, request in first_requests(plan, axes, library, samples, cells=cells):
        measured = _measured(counters.get(cell.model), request)
        if measured is not None:
            found.setdefault(cell.id, {})[sample] = measured.tokens
        if cell.model not in shared:
            server = not runs_in_place(axes.settings_of(cell.model).model)
            shared[cell.model] = SharedPrompts(plan.repeats, BLOCK if server else None)
        shared[cell.model].add(
            cell.id, cell.prompt, sample, request, measured, channel=cell.channel
        )
    return found


def _measured(counter: CountsTokens | None, request: Request) -> Measured | None:
    if counter is None or isinstance(counter, MeasuresTokens):
        return None if counter is None else counter.measure(request)
    tokens = counter.count(request)
    return None if tokens is None else Measured(tokens, counter.longest or 0)


def first_requests(
    plan: Plan, axes: Axes, library: Library, samples: RunFolder, *, cells: Sequence[Cell]
) -> Iterator[tuple[Cell, str, Request]]:
    """(cell, sample, first request) of a seeded choice of samples and of those with the largest files."""
    for name, planned in plan.tasks.items():
        mine = [cell for cell in cells if cell.task == name]
        if not mine:
            continue
        wanted = _some(plan, samples, mine, largest=_largest(planned))
        for trials in prepare(planned, mine, plan, library, only=wanted):
            for trial in trials:
                request = _request(trial, plan, axes)
                if request is not None:
                    yield trial.cell, sample_of(trial.trial), request


def _some(
    plan: Plan, samples: RunFolder, cells: Sequence[Cell], *, largest: Collection[str]
) -> frozenset[str]:
    """The first trials of the samples that come first in an order drawn by the plan's seed, and of the `largest`."""
    ids = {cell.id for cell in cells}

    def first() -> Iterator[tuple[str, str]]:
        for cell, sample, _, trial in trials_of(plan, samples):
            if cell.id in ids and trial.startswith(f"{cell.id}/0/"):
                yield sample, trial

    def drawn(sample: str) -> str:
        seeded = f"{plan.seed}\x1f{sample}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(seeded).hexdigest()

    # The trials of a sample follow each other, so none but the chosen ones are held.
    names = (sample for sample, _ in groupby(first(), key=itemgetter(0)))
    chosen = {*nsmallest(LOOKED_AT, names, key=drawn), *largest}
    return frozenset(trial for sample, trial in first() if sample in chosen)


def _largest(planned: PlannedTask) -> list[str]:
    """The samples of one picture whose files take most room, which mostly are those of most pixels."""
    sizes: dict[str, int] = {}
    chosen = planned.summary.chosen
    for sample in islice(planned.source, MOST_FILES):
        frames = sample.medium.frames
        if len(frames) == 1 and isinstance(frames[0], FilePicture):
            with suppress(OSError):
                if chosen is None or sample.id in chosen:
                    sizes[sample.id] = frames[0].path.stat().st_size
    return nlargest(LARGEST, sizes, key=lambda name: sizes[name])


def _request(trial: Prepared, plan: Plan, axes: Axes) -> Request | None:
    if trial.failure is not None:
        return None
    cell = trial.cell
    protocol = load_protocol(cell.protocol)
    if trial.toolbox is not None and isinstance(protocol, UsingTools):
        protocol = protocol.bound(trial.toolbox)
    step = take_step(protocol, trial.render, [])
    if not isinstance(step, Ask):
        return None
    sampling = sampling_for(plan.tasks[cell.task].task, plan.prompts[cell.prompt], axes, cell.model)
    return make_request(step.messages, sampling, model="", thinking=cell.thinking)


async def check_lengths(
    plan: Plan,
    axes: Axes,
    library: Library,
    samples: RunFolder,
    *,
    model: Model,
    cells: Sequence[Cell],
    shared: SharedPrompts | None = None,
) -> list[str]:
    """What to tell of cells some samples of which are over the context length; `cells` are those of the model that are
    still asked. What their prompts share is added to `shared`.

    Raises HarnessError where not one of those looked at fits.
    """
    if not cells or not isinstance(model, Measuring) or await model.measure(_HELLO) is None:
        return []
    seen: dict[Cell, int] = dict.fromkeys(cells, 0)
    over: dict[Cell, list[tuple[str, int, int]]] = {cell: [] for cell in cells}
    for cell, sample, request in first_requests(plan, axes, library, samples, cells=cells):
        measured = await model.measure(request)
        if measured is None:
            continue
        if shared is not None:
            shared.add(cell.id, cell.prompt, sample, request, measured, channel=cell.channel)
        seen[cell] += 1
        if measured.tokens + request.sampling.max_tokens > measured.longest:
            over[cell].append((sample, measured.tokens, measured.longest))
    notes = []
    for cell, found in over.items():
        if not found:
            continue
        sample, tokens, longest = max(found, key=lambda one: one[1])
        most = sampling_for(
            plan.tasks[cell.task].task, plan.prompts[cell.prompt], axes, cell.model
        ).max_tokens
        told = (
            f"{cell.model} {cell.prompt}: {len(found)} of {seen[cell]} checked samples exceed the context length of "
            f"{longest:,} tokens, such as {sample}: {tokens:,} of its prompt, up to {most:,} of the reply"
        )
        if len(found) == seen[cell]:
            raise HarnessError(told, hint=REMEDY)
        notes.append(f"{told}; {REMEDY}")
    return notes


def _totals(found: list[Forecast], axes: Axes) -> Iterator[str]:
    """What the cells with a price cost together, where there are several; a line for each currency."""
    sums: dict[str, list[tuple[float, float]]] = {}
    unknown = 0
    for one in found:
        price = axes.prices.get(one.cell.model)
        cost = one.cost(price) if price is not None else None
        if price is not None and cost is not None:
            sums.setdefault(price.currency, []).append(cost)
        elif price is not None:
            unknown += 1
    besides = f", and {counted(unknown, 'cell')} whose tokens are not known" if unknown else ""
    for currency, costs in sums.items():
        if len(costs) > 1 or besides:
            least, most = (sum(ends) for ends in zip(*costs, strict=True))
            between = f"{money(least, currency)} to " if least != most else ""
            yield f"in total: {between}{money(most, currency)}{besides}"


def forecast_lines(found: list[Forecast], axes: Axes) -> Iterator[str]:
    """What a plan says of them."""
    names = {one.cell.model: axes.settings_of(one.cell.model).shown for one in found}
    unknown = [one for one in found if one.prompt is None]
    for one in found:
        if one.prompt is not None or len(unknown) == 1:
            yield one.line(axes.prices.get(one.cell.model), model=names[one.cell.model])
    if len(unknown) > 1:
        yield f"tokens of {len(unknown)} cells not known before there are replies (a first look asks for them: --preview 10)"
    yield from _totals(found, axes)
    for one in found:
        if told := one.warning(model=names[one.cell.model]):
            yield f"warning: {told}"

"""Check before the first request that a model supports the channels of its cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from harness.conditions.sound import AUDIO
from harness.core.cell import Cell
from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.message import Image
from harness.core.model import Card, Detailed, Model, Probing
from harness.core.text import counted
from harness.core.thinking import thinking_levels, thinking_need
from harness.prompting.library import Library
from harness.prompting.variables import made_up_examples
from harness.run.axes import Axes
from harness.run.fallback import grouped, most_images
from harness.run.plan import Plan
from harness.run.prepare import prompt_variables


async def find_out(
    plan: Plan, model: Model, name: str, *, done: Mapping[str, int], recorded: frozenset[Need]
) -> frozenset[Need]:
    """What holds of all that the model's cells need.

    A server is probed unless nothing is left to be asked: then what was `recorded` when it was asked counts,
    so that a finished run needs no server. Raises HarnessError where the server does not answer.
    """
    cells = [cell for cell in plan.cells if cell.model == name and cell.id in plan.needs]
    open_cells = [cell for cell in cells if plan.counts[cell.id] > done.get(cell.id, 0)]
    if not isinstance(model, Probing):
        return model.card.offers
    if not open_cells:
        return recorded | model.card.offers
    await model.probe(frozenset[Need]().union(*(plan.needs[cell.id] for cell in cells)))
    return model.card.offers


async def check_detail(
    plan: Plan, model: Model, name: str, *, done: Mapping[str, int]
) -> list[str]:
    """What to tell of cells that say at which detail pictures are looked at, if trials of them are left to ask.

    Raises HarnessError where the model takes no such word.
    """
    wanted = dict.fromkeys(
        cell.detail
        for cell in plan.cells
        if cell.model == name and cell.detail and plan.counts[cell.id] > done.get(cell.id, 0)
    )
    if not wanted:
        return []
    if not isinstance(model, Detailed):
        raise HarnessError(
            f"{name} does not accept --detail: only OpenAI-like servers do (openai:MODEL@URL)",
            hint="leave --detail out, or set detail for one model in harness.toml; --pixels works with every model",
        )
    note = await model.prove_detail(tuple(wanted))
    return [note] if note else []


def check(
    plan: Plan, name: str, held: Collection[Need], *, why: Mapping[Need, str] = MappingProxyType({})
) -> list[str]:
    """A line for each cell that goes on in free text, as its task allows, or shows the frames of its videos.

    `why` says why needs were found not to hold, where that is known. Raises HarnessError where a model cannot do what a
    channel or protocol needs and the task does not allow that.
    """
    notes = []
    for cell in plan.cells:
        needs = plan.needs.get(cell.id, frozenset()) if cell.model == name else frozenset()
        missing = needs - set(held)
        if "video" in missing:
            notes.append(
                f"{cell.task}, {cell.shown_condition}: {name} does not accept video with "
                "given frames and times; clips are sent as frames (some vLLM versions accept "
                "it if started with --trust-request-mm-kwargs)"
            )
        missing -= {"video"}
        if "audio" in missing:
            notes.append(
                f"{cell.task}, {cell.shown_condition}: {name} was not shown to hear; "
                + (
                    "its trials fail, since there is nothing to see"
                    if cell.condition == AUDIO.name
                    else "it gets the pictures alone, and the record says not-heard"
                )
            )
        missing -= {"audio"}
        if "tools" in missing:
            reason = why.get(
                "tools", "only servers and chat models of LangChain can be told of tools"
            )
            raise HarnessError(
                f"--protocol {cell.protocol} cannot be used with {name}: {reason}", hint=_TOLD
            )
        if "loop" in missing:
            raise HarnessError(
                f"--protocol {cell.protocol} cannot be used with {name}, which calls no tools by itself",
                hint="leave --protocol out, or use --protocol agent",
            )
        if "calls" in missing:
            notes.append(
                f"{name} was not proved to hold replies to calls of tools, so the JSON of {cell.protocol} is written "
                "freely and may be malformed"
            )
        missing -= {"calls"}
        _refuse_thoughtless(cell, name, missing)
        if not missing:
            continue
        if "logprob" in missing:
            raise HarnessError(
                f"{name} gives no log-probabilities for labels, which --channel logprob needs",
                hint="serve the model with vLLM, run it with transformers:, or leave out "
                "--channel logprob",
            )
        kinds = ", ".join(sorted(missing))
        if plan.tasks[cell.task].task.unconstrained == "stop":
            raise HarnessError(
                f"{name} does not enforce constraints ({kinds}), which --channel choice "
                "needs; every known request format was tried",
                hint="leave out --channel choice, or use --set unconstrained=free to continue "
                "in free text; every result then says so",
            )
        notes.append(
            f"{cell.task}, {cell.prompt}: {name} does not enforce {kinds}; --channel choice "
            "continues in free text"
        )
    return list(dict.fromkeys(notes))


_TOLD = (
    "use --protocol agent:text, whose calls are written in the text; or give the server a chat template that tells the "
    "model of tools (vLLM: --chat-template FILE --enable-auto-tool-choice --tool-call-parser NAME)"
)


def _refuse_thoughtless(cell: Cell, name: str, missing: Collection[Need]) -> None:
    """Raise HarnessError where a model does not think as a cell asks."""
    if thinking_levels(missing):
        raise HarnessError(
            f"{name} cannot be asked for thinking {cell.thinking}: no known "
            f"request option changed its reasoning or its token counts",
            hint="leave --thinking out for it (thinking = ... under [models.NAME] in harness.toml sets it for one model), "
            "or start its server so that it reports its reasoning (vLLM: --reasoning-parser)",
        )
    if thinking_levels(missing, held=True):
        raise HarnessError(
            f"{name} does not reason before a constrained reply, so --channel {cell.channel} and "
            f"thinking {cell.thinking} cannot be combined",
            hint="use --channel free, or --thinking off",
        )


def check_pictures(plan: Plan, axes: Axes, cards: Mapping[str, Card], library: Library) -> None:
    """Raises HarnessError where few-shot examples make a request hold more pictures than a model is known to take.

    Counted are the pictures of a made-up sample of one picture, neighbours as one, since these may become a contact
    sheet.
    """
    for cell in plan.cells:
        shots = cell.shots
        most = most_images(cards.get(cell.model), axes.max_images.get(cell.model))
        if not shots or most is None or shots < most:
            continue
        needed = _pictures_of(plan, cell, shots, library)
        if needed > most:
            raise HarnessError(
                f"{cell.model} accepts {counted(most, 'picture')} per request; with {shots} few-shot "
                f"examples, prompt {cell.prompt} shows {needed} that cannot be combined",
                hint=f"use --shots {most - 1}"
                if most > 1
                else "use a prompt with text examples, such as emotion/few-shot-text, or one "
                "that prints the example pictures side by side",
            )


def _pictures_of(plan: Plan, cell: Cell, shots: int, library: Library) -> int:
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    asks = prompt.head.fills(task.fields)
    fields = {name: task.fields[name] for name in asks}
    rendering = library.render(
        prompt,
        variables={
            **prompt_variables(task, asks, question="a question"),
            "exemplars": made_up_examples(fields, shots),
        },
        pictures=[Image("the sample", b"the sample")],
    )
    return sum(
        isinstance(group[0], Image)
        for message in rendering.messages
        for group in grouped(message.parts)
    )


def recorded_offers(manifest: Mapping[str, Any], name: str, identity: str) -> frozenset[Need]:
    """What a manifest says that a model of this identity could do; empty where it says nothing."""
    entry = manifest.get("models", {}).get(name, {})
    if entry.get("identity") != identity:
        return frozenset()
    known = frozenset[Need](entry.get("constraints", {}))
    known |= {"logprob"} if entry.get("estimators") else frozenset[Need]()
    known |= {need for need in ("tools", "loop") if entry.get(need)}
    known |= {thinking_need(level) for level in entry.get("thinking", ())}
    known |= {thinking_need(level, held=True) for level in entry.get("thinking_held", ())}
    return known | {need for need in ("video", "audio") if entry.get(need)}


def unconstrained(manifest: Mapping[str, Any], cell: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of constraint that a manifest's cell wanted and its model was not held to."""
    model = manifest.get("models", {}).get(cell["model"], {})
    held = {*model.get("constraints", {}), "logprob", "video", "audio", "tools", "loop"}
    wanted = {need for need in cell.get("needs", ()) if not need.startswith("thinking")}
    return tuple(sorted(wanted - held))

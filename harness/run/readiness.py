"""Whether a model can do what the channels of its cells need, found out before anything is asked of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.model import Model, Probing
from harness.run.plan import Plan


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


def check(plan: Plan, name: str, held: Collection[Need]) -> list[str]:
    """A line for each cell that goes on in free text, as its task allows.

    Raises HarnessError where a model cannot do what a channel needs and the task does not allow that.
    """
    notes = []
    for cell in plan.cells:
        missing = plan.needs.get(cell.id, frozenset()) - set(held) if cell.model == name else ()
        if not missing:
            continue
        if "logprob" in missing:
            raise HarnessError(
                f"{name} gives no log-probabilities of labels, which --channel logprob needs",
                mend="serve it by vLLM, run it by transformers:, or leave --channel logprob out",
            )
        kinds = ", ".join(sorted(missing))
        if plan.tasks[cell.task].task.unconstrained == "stop":
            raise HarnessError(
                f"{name} was not held to a constraint ({kinds}) in any spelling tried, which --channel choice needs",
                mend="leave --channel choice out, or --set unconstrained=free to go on in free text and have "
                "that said everywhere",
            )
        notes.append(
            f"{cell.task}, {cell.prompt}: {name} is not held to {kinds}; the channel choice goes on in free text"
        )
    return list(dict.fromkeys(notes))


def recorded_offers(manifest: Mapping[str, Any], name: str, identity: str) -> frozenset[Need]:
    """What a manifest says that a model of this identity could do; empty where it says nothing."""
    entry = manifest.get("models", {}).get(name, {})
    if entry.get("identity") != identity:
        return frozenset()
    known = frozenset[Need](entry.get("constraints", {}))
    return known | ({"logprob"} if entry.get("estimators") else frozenset())


def unconstrained(manifest: Mapping[str, Any], cell: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of constraint that a manifest's cell wanted and its model was not held to."""
    model = manifest.get("models", {}).get(cell["model"], {})
    held = {*model.get("constraints", {}), "logprob"}
    return tuple(sorted(set(cell.get("needs", ())) - held))

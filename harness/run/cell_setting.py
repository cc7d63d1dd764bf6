"""How the trials of a cell are put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.constraint import Constraint, Need
from harness.core.model import Model
from harness.core.protocol import AnswerProtocol, Ask
from harness.core.request import Sampling
from harness.protocols.registry import load_protocol
from harness.run.answer_constraints import Asking
from harness.run.axes import Axes, sampling_for
from harness.run.plan import Plan


@dataclass(frozen=True, slots=True)
class CellSetting:
    """What the trials of one cell have in common."""

    protocol: AnswerProtocol
    sampling: Sampling
    bases: Sequence[str]
    """The basis of its trials, and earlier spellings of it."""
    asking: Asking

    needs: frozenset[Need] = frozenset()
    """What it needs, of what the model was found to be able to do."""

    def held(self, step: Ask) -> Constraint | None:
        """What the protocol holds the reply to, where the model can be held to it."""
        wanted = step.constraint
        return wanted if wanted is not None and wanted.kind in self.needs else None

    def sampling_of(self, draw: int, *, room: int = 0) -> Sampling:
        """Each repeat, and each draw of a repeat, has a seed of its own; replies have at least `room` tokens."""
        if not draw and room <= self.sampling.max_tokens:
            return self.sampling
        most = max(room, self.sampling.max_tokens)
        return replace(self.sampling, seed=self.sampling.seed + draw, max_tokens=most)


def cell_settings(
    plan: Plan,
    axes: Axes,
    model: Model,
    name: str,
    *,
    held: frozenset[Need] | None,
    bases: Mapping[str, Sequence[str]],
) -> dict[str, CellSetting]:
    """Cell id -> how its trials are put, of the cells of one model; `held` and `bases` as `harness.run.execute.execute`
    has them."""
    settings = {}
    offers = model.card.offers if held is None else held
    for cell in plan.cells:
        if cell.model == name:
            task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
            settings[cell.id] = CellSetting(
                load_protocol(cell.protocol),
                sampling_for(task, prompt, axes, name),
                bases[cell.id],
                Asking(task, prompt, cell.channel, offers),
                plan.needs.get(cell.id, frozenset()) & offers,
            )
    return settings

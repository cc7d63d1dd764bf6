"""A planned run with its models open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.constraint import Need
from harness.core.generation import Generation
from harness.core.model import Model
from harness.core.request import Request
from harness.enhancers.settings import settings_of
from harness.prompting.library import Library
from harness.run.again import AgainJournal, AgainRound
from harness.run.budget import Budget
from harness.run.enhancing import Enhancing, endpoint_notes
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder
from harness.run.job import Job
from harness.run.journal import Journal
from harness.run.loop import complete
from harness.run.manifest import write_manifest
from harness.run.plan import Plan
from harness.run.plan_warnings import plan_notes
from harness.run.reuse import OtherRun, ReplyIndex, reuse_notes
from harness.run.scoring import shown_name, with_adapter, with_adapters
from harness.run.second_model import SecondModel
from harness.run.staging import discard, put_in_place


@dataclass(slots=True)
class ReadyRun:
    """A planned run with its models open. Its folder is as it was until `begin`."""

    job: Job
    plan: Plan
    library: Library
    models: dict[str, Model]
    manifest: dict[str, Any] = field(default_factory=dict)
    """As it will be written."""
    done: dict[str, int] = field(default_factory=dict)
    """Cell id -> trials already finished on this basis."""
    recorded: dict[str, frozenset[Need]] = field(default_factory=dict)
    """Model -> what it was found to be able to do when it was last asked."""
    changed: list[str] = field(default_factory=list)
    """What is otherwise than in the last run of the same folder."""
    staged: RunFolder | None = None
    """Where plan and samples lie until the run begins."""
    finished: FinishedTrials | None = None
    journal: Journal | None = None
    """Open once the run has begun."""
    budget: Budget = field(default_factory=Budget)
    again: AgainRound | None = None
    """What is asked anew in place of what is pending."""
    anew: AgainJournal | None = None
    others: tuple[OtherRun, ...] = ()
    """Run folders whose replies may be taken."""
    reusable: dict[str, int] = field(default_factory=dict)
    """Cell id -> trials that are open here and finished in one of them."""
    index: ReplyIndex | None = None
    """Where the replies of the other folders stand."""
    enhancing: Enhancing | None = None
    """The endpoints that enhance its pictures."""
    second: SecondModel | None = None
    """The model that the tool `second_opinion` asks."""
    closed: set[str] = field(default_factory=set)
    """Models that were asked and are closed."""

    def _shown(self, model: str) -> str:
        """The name of a model in tables; before it was opened, what its settings say."""
        entry = self.manifest.get("models", {}).get(model)
        if entry is not None:
            return shown_name(model, entry)
        settings, opened = self.job.axes.settings_of(model), self.job.adapted.get(model)
        if settings.display_name or opened is None:
            return settings.shown
        if opened.adapters:
            return with_adapters(settings.called, f"{len(opened.adapters)} folds")
        if not opened.adapter:
            return settings.called
        folder = Path(opened.adapter).expanduser()
        return with_adapter(settings.called, folder.name if folder.is_dir() else opened.adapter)

    def summary(self) -> dict[str, Any]:
        """What is shown before anything runs."""
        cells = [
            {
                "task": cell.task, "model": cell.model, "prompt": cell.prompt,
                "display_name": self._shown(cell.model),
                "condition": cell.shown_condition, "channel": cell.taken,
                "trials": self.plan.counts[cell.id],
                "done": self.done[cell.id],
                **({"reusable": self.reusable.get(cell.id, 0)} if self.others else {}),
            }
            for cell in self.plan.cells
        ]  # fmt: skip
        left = {cell.id: self.plan.counts[cell.id] - self.done[cell.id] for cell in self.plan.cells}
        each = self.plan.requests
        taken = sum(self.reusable.get(cell, 0) * each[cell] for cell in left)
        asked = sum(count * each[cell] for cell, count in left.items()) - taken
        return {
            "cells": cells,
            "trials": self.plan.trials,
            "requests": asked,
            **({"reusable": taken} if self.others else {}),
            "done": sum(self.done.values()),
            "run": str(self.job.folder.path),
            "notes": [
                *self.changed,
                *([] if self.enhancing is None else self.enhancing.notes),
                *endpoint_notes(
                    self.plan,
                    self.done,
                    settings_of(
                        [c.condition for c in self.plan.cells], self.job.workspace.enhancers
                    ),
                ),
                *plan_notes(self.plan, self.job.axes, self.models),
                *([] if self.again is None else [self.again.note]),
                *reuse_notes(self.others, self.reusable, sum(left.values())),
            ],
        }

    def begin(self) -> Journal:
        """Open the journal and put plan, samples and manifest in place, once. Raises HarnessError where that fails;
        where it is for a line of the journal, everything is as it was."""
        if self.journal is None:
            self.journal = Journal(self.job.folder, finished=self.finished)
            if self.staged is not None:
                put_in_place(self.staged, self.job.folder)
                self.staged = None
            write_manifest(self.job.folder, self.manifest)
        if self.again is not None and self.anew is None:
            self.anew = AgainJournal(self.job.folder, self.again.day)
        return self.journal

    def take(self, request: Request) -> tuple[Generation, str] | None:
        """The reply that another folder holds to a request, once it is in the journal, and the name of the folder."""
        found = None if self.index is None else self.index.reply(request.key)
        if found is not None:
            generation, other = found
            self.begin().add_reply(generation, request.messages, reused=str(Path(other).absolute()))
        return found

    def close(self) -> None:
        """Close the journal, or remove what was planned where nothing began, and close models that were not asked."""
        for log in (self.journal, self.anew, self.index):
            if log is not None:
                log.close()
        if self.staged is not None:
            discard(self.staged)
        close_models(model for spec, model in self.models.items() if spec not in self.closed)
        close_models([] if self.second is None else [self.second.model])


def close_models(models: Iterable[Model]) -> None:
    """Close models outside a run; what goes wrong there is no news."""
    left = list(models)

    async def close() -> None:
        await asyncio.gather(*(model.close() for model in left), return_exceptions=True)

    if left:
        complete(close)

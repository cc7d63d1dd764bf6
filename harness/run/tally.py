"""What a run has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.core.generation import Generation
from harness.run.budget import Budget


@dataclass(slots=True)
class Tally:
    """What a run has done so far; counts of this start, not of the folder."""

    trials: int = 0
    asked: int = 0
    """Requests put to a model."""
    reused: int = 0
    """Replies found in the journal."""
    taken: Counter[str] = field(default_factory=Counter)
    """Other run folder -> replies that were taken from it (`harness.run.reuse`)."""
    failed: int = 0
    """Trials that ended in a failure."""
    first_failure: str = ""
    cells: Counter[str] = field(default_factory=Counter)
    """Cell id -> trials that are finished."""
    cells_failed: Counter[str] = field(default_factory=Counter)
    """Cell id -> those that ended in a failure."""
    budget: Budget | None = None
    """What the replies in the folder have cost, and the most that they may."""
    served: dict[str, Counter[str]] = field(default_factory=dict)
    """Model -> what its replies name as their source (model and fingerprint) -> replies; models that name none are
    absent."""
    fallbacks: dict[str, int] = field(default_factory=dict)
    """Rule of `harness.run.fallback` -> trials in which it fired."""
    read_as: dict[str, int] = field(default_factory=dict)
    """Rule of `harness.media.portable.READ_AS` -> trials whose pictures were read by it."""

    enhanced: dict[str, Counter[str]] = field(default_factory=dict)
    """Endpoint -> what came of its pictures (`harness.run.enhancing`)."""

    standing: Callable[[], str] = lambda: ""
    """How the replicas of the model that is asked stand, in words."""

    def note_source(self, model: str, generation: Generation) -> None:
        """Count what a reply names as its source, if it names one."""
        source = " ".join(filter(None, (generation.served, generation.fingerprint)))
        if source:
            self.served.setdefault(model, Counter())[source] += 1

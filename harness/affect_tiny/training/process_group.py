"""Several training processes that share one model by averaging their gradients each step.

On a machine that others use too, this beats threads: processes meet once a step, threads in
every matrix product.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Crew:
    """One process's place among its peers."""

    rank: int
    """From 0; the first one saves and reports."""
    size: int

    @classmethod
    def join(cls, rank: int, size: int, meeting: Path) -> Crew:
        """Waits for the peers at a file that no earlier crew has used."""
        if size > 1:
            from torch import distributed

            # torch ends a child with SIGINT when its parent dies; one whose parent was started in the
            # background was born deaf to it, and would go on writing checkpoints.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            distributed.init_process_group(
                "gloo", init_method=f"file://{meeting.resolve()}", rank=rank, world_size=size
            )
        return cls(rank, size)

    def average(self, weights: Sequence[Any]) -> None:
        """Replaces each weight's gradient by its mean over the crew."""
        if self.size == 1:
            return
        import torch
        from torch import distributed

        given = [w.grad if w.grad is not None else torch.zeros_like(w) for w in weights]
        flat = torch.cat([g.flatten() for g in given])
        distributed.all_reduce(flat)
        flat /= self.size
        for weight, part in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
            weight.grad = part.view_as(weight)

    def leave(self) -> None:
        """Parts from the peers."""
        if self.size > 1:
            from torch import distributed

            distributed.destroy_process_group()


ALONE = Crew(0, 1)

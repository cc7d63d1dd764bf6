"""What a model that computes in batches needs of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from harness.core.generation import Generation
from harness.core.request import Request
from harness.models.transformers.prepared import PreparedRequest


class Computes(Protocol):
    """What LocalModel needs of an Engine."""

    @property
    def facts(self) -> Mapping[str, str]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def prepare(self, request: Request) -> PreparedRequest | Generation: ...

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]: ...


@runtime_checkable
class Shares(Protocol):
    """An engine that reads once what several prompts have in common."""

    def foresee(self, prompts: Sequence[PreparedRequest]) -> None:
        """The prompts that batches are made of from now on."""
        ...

    def forget(self) -> None:
        """Keep nothing of what may be needed again."""
        ...

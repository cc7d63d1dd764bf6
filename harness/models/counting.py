"""Count the tokens of a request before it is sent, if the model's processor is available."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.core.model import Measured
from harness.core.request import Request
from harness.models.settings import ModelSettings


class CountsTokens(Protocol):
    """Counts prompt tokens as a model does."""

    longest: int | None
    """Most tokens of a conversation and its reply; None: not known."""

    def count(self, request: Request) -> int | None:
        """Prompt tokens, those of pictures included; None where they cannot be counted."""
        ...


@runtime_checkable
class MeasuresTokens(CountsTokens, Protocol):
    """One that also tells the tokens, so that it can be seen what prompts share."""

    def measure(self, request: Request) -> Measured | None:
        """None where they cannot be counted."""
        ...


def counter_for(settings: ModelSettings) -> CountsTokens | None:
    """The counter of a model by its settings: that of the checkpoint they name, else that of the model itself."""
    if settings.checkpoint is None:
        return token_counter(settings.model)
    return token_counter(f"transformers:{settings.checkpoint}")


def token_counter(spec: str) -> CountsTokens | None:
    """The counter of a model, as a person writes it: `affect-tiny`, `transformers:` or `vllm:` with a folder or a hub id
    that lies in the cache. None where there is none on this machine; nothing is fetched, no weights are read."""
    kind, _, argument = spec.strip().partition(":")
    if kind not in {"affect-tiny", "transformers", "vllm"}:
        return None
    from harness.models.transformers.counting import cached_folder, counter_of

    if (kind, argument) in {("affect-tiny", ""), ("vllm", "affect-tiny")}:
        from harness.affect_tiny import weights_folder

        return counter_of(weights_folder())
    if kind == "affect-tiny":
        return None
    folder = Path(argument).expanduser()
    found = folder if folder.is_dir() else cached_folder(argument)
    return None if found is None else counter_of(found)

"""The axes of a command: models, prompts, conditions and so on, and sampling settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.cell import Channel
from harness.core.cell_pattern import CellPattern
from harness.core.price import Price
from harness.core.prompt import Prompt
from harness.core.prompt_family import CHAT, PromptFamily
from harness.core.request import Sampling
from harness.core.sent_pictures import read_pixels
from harness.core.task import Task
from harness.models import ModelSettings
from harness.run.adapter_folds import AdapterFolds


@dataclass(frozen=True, slots=True)
class Axes:
    """What a command asks for."""

    models: tuple[str, ...]
    """Models that generate; baselines are scored, not run."""
    prompts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ("none",)
    channels: tuple[Channel, ...] = ()
    """Empty: each task's own."""
    shots: tuple[int, ...] = ()
    """Few-shot examples before each sample; empty: each task's own number."""
    pixels: tuple[int, ...] = ()
    """The most pixels of each picture, 0 for pictures as they are; empty: what the models' settings say."""
    details: tuple[str, ...] = ()
    """At which detail servers are asked to look; empty: what the models' settings say."""
    max_images: Mapping[str, int] = field(default_factory=dict)
    """Model -> most pictures in one request, as the person who runs declares it."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Model -> what it costs, where that was given."""
    limit: int | None = None
    seed: int = 0
    repeats: int = 1
    """How often each cell asks about each sample, with the seeds `seed`, `seed + 1`, ..."""
    temperature: float = 0.0
    changed: frozenset[str] = frozenset()
    """Keys of the tasks that the command itself sets (`max_tokens` of `--set max_tokens=64`)."""
    protocol: str | None = None
    """In place of the prompts' own."""
    max_tokens: int | None = None
    """Most tokens of a reply, for all prompts; None: each prompt's own, else the task's."""
    thinking: tuple[str, ...] = ()
    """How much models are asked to think; empty: what their settings say, else as they do by themselves."""
    tools: tuple[str, ...] = ()
    """The tools that models may use, one empty word for none; empty: none."""
    second: str = ""
    """The model that the tool `second_opinion` asks; empty: none."""
    second_identity: str = ""
    """Its identity, once it is open."""
    enhancers: Mapping[str, str] = field(default_factory=dict)
    """Endpoint that enhances pictures -> its identity, once it is known."""
    settings: Mapping[str, ModelSettings] = field(default_factory=dict)
    """Model -> its settings, of those that have any. What the command says instead is not in them."""
    exclude: tuple[CellPattern, ...] = ()
    """Cells that are left out."""
    only: Mapping[str, tuple[CellPattern, ...]] = field(default_factory=dict)
    """Task -> the cells of it that are asked; tasks that are not named are asked in full."""
    families: Mapping[str, tuple[PromptFamily, ...]] = field(default_factory=dict)
    """Model -> the prompt families it takes, of those that are not chat models."""
    folds: AdapterFolds | None = None
    """Which models have an adapter for each fold, and whose fold a subject is in."""
    experiment: Mapping[str, Any] = field(default_factory=dict)
    """What the manifest records of an experiment: its `name`, and what it compares cells `against`."""

    def settings_of(self, model: str) -> ModelSettings:
        """Those of a model; the usual ones where it has none."""
        return self.settings.get(model) or ModelSettings(model=model)

    def families_of(self, model: str) -> tuple[PromptFamily, ...]:
        """The prompt families that a model takes."""
        return self.families.get(model, CHAT)

    def thinking_of(self, model: str) -> tuple[str, ...]:
        """How much a model is asked to think; one empty word where nothing is asked."""
        return self.thinking or self.settings_of(model).thinking or ("",)

    def pixels_of(self, model: str) -> tuple[int, ...]:
        """The most pixels of pictures sent to a model; one 0 where nothing is asked."""
        own = tuple(read_pixels(written) for written in self.settings_of(model).pixels)
        return self.pixels or own or (0,)

    def details_of(self, model: str) -> tuple[str, ...]:
        """At which detail a model is asked to look; one empty word where nothing is asked."""
        return self.details or self.settings_of(model).detail or ("",)

    def temperature_of(self, model: str) -> float:
        """At which its replies are drawn."""
        own = self.settings_of(model).sampling.temperature
        return self.temperature if own is None else own


def sampling_for(task: Task, prompt: Prompt, axes: Axes, model: str) -> Sampling:
    """Greedy decoding unless a temperature was asked for, with the token limit that was asked for or that the model's
    settings have, else the prompt's, else the task's.

    The seed is that of the first repeat.
    """
    own = axes.settings_of(model).sampling
    return Sampling(
        temperature=axes.temperature_of(model),
        top_p=1.0 if own.top_p is None else own.top_p,
        top_k=own.top_k or 0,
        repetition_penalty=1.0 if own.repetition_penalty is None else own.repetition_penalty,
        seed=axes.seed if own.seed is None else own.seed,
        max_tokens=axes.max_tokens or own.max_tokens or prompt.head.max_tokens or task.max_tokens,
    )

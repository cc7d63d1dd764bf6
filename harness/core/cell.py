"""Cells and trials: the units of plan, resume and resampling."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

from harness.core.sent_pictures import DETAIL, PIXELS, spelled_pixels

Channel: TypeAlias = Literal["free", "choice", "logprob"]
"""How an answer is obtained: parsed from free text, from text constrained to the allowed answers, or as the label
with the highest probability."""

CHANNEL_LINES: Mapping[Channel, str] = MappingProxyType(
    {
        "free": "parse the answer from free text",
        "choice": "constrain the reply to the labels, a JSON schema or a pattern while it is "
        "generated",
        "logprob": "take the label with the highest log-probability, with calibration",
    }
)
"""Channel -> one line about it."""
CHANNELS: tuple[Channel, ...] = tuple(CHANNEL_LINES)
FREE: Channel = "free"
AS_WRITTEN = "as-written"
"""The order of the labels as the task lists them."""

_THINKING = ", thinking "
_TOOLS = ", tools "

USUAL_PROTOCOLS = ("single", "describe-then-answer")
"""Protocols with one reply; tables do not name them."""


@dataclass(frozen=True)
class Cell:
    """One combination of task, model, prompt, condition, protocol and channel."""

    task: str
    model: str
    prompt: str
    condition: str
    """How pictures are shown, without few-shot examples and label order, which are separate fields."""
    protocol: str
    channel: Channel = FREE
    """How the answer is obtained."""
    shots: int = 0
    """Number of few-shot examples before each sample."""
    label_order: str = AS_WRITTEN
    """The order in which the prompt lists the labels."""
    thinking: str = ""
    """How much the model is asked to think (`harness.core.thinking`); empty: its own default."""
    pixels: int = 0
    """Maximum number of pixels of each picture sent; 0: no limit."""
    detail: str = ""
    """Image detail requested from the server; empty: not set."""
    tools: str = ""
    """Tools that the model may use, and how they are altered (`harness.core.tools_asked`); empty: none."""
    asked_as: str = ""
    """Of an earlier version of an edited prompt, which is kept as `prompt` (`emotion/plain@2026-11-28-1a2b3c`): the
    prompt's name when it was asked. Empty for the version that stands."""
    given_id: str = field(default="", compare=False)
    """The id under which a run of 0.2.0 keeps its trials, where that comes of another spelling of the condition
    (`none+label-order:reversed`). Empty: that of `id`'s own making."""

    @property
    def taken(self) -> str:
        """How its answers are obtained, for tables; see `spelled_channel`."""
        return spelled_channel(self.channel, self.protocol, self.thinking, self.tools)

    @cached_property
    def id(self) -> str:
        """Ten hex digits that stay the same between commands, and are those of 0.2.0. An earlier version of a prompt
        has the id of the one that stands: the basis of its trials tells them apart."""
        if self.given_id:
            return self.given_id
        prompt = self.asked_as or self.prompt
        parts = [self.task, self.model, prompt, self.shown_condition, self.protocol]
        parts += [] if self.channel == FREE else [self.channel]
        parts += [f"thinking={self.thinking}"] if self.thinking else []
        parts += [f"tools={self.tools}"] if self.tools else []
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:10]

    @property
    def shown_condition(self) -> str:
        """The condition with few-shot examples, how pictures are sent, and label order, in one word:
        `apex+shots-4+pixels:0.25MP+label-order:reversed`."""
        return spelled_condition(
            self.condition, self.shots, self.label_order, pixels=self.pixels, detail=self.detail
        )

    def as_row(self) -> dict[str, str]:
        """The cell as the files of a run spell it: task, model, prompt, condition (in one word), protocol, channel."""
        return {
            "task": self.task,
            "model": self.model,
            "prompt": self.prompt,
            "condition": self.shown_condition,
            "protocol": self.protocol,
            "channel": self.channel,
        }


def spelled_channel(channel: str, protocol: str, thinking: str = "", tools: str = "") -> str:
    """The channel, with the protocol where that does not read one reply, the tools where there are any, and how much is
    thought where that was asked: `free`, `free, vote-5`, `free, agent, tools zoom:swap`, `free, thinking low`."""
    words = [channel]
    words += [] if protocol in USUAL_PROTOCOLS else [protocol]
    told = ", ".join(words) + (f"{_TOOLS}{tools}" if tools else "")
    return told + (f"{_THINKING}{thinking}" if thinking else "")


def thinking_in(channel: str) -> str:
    """The thinking level in a channel as written by `spelled_channel`; empty if none was set."""
    _, found, level = channel.partition(_THINKING)
    return level if found else ""


def tools_in(channel: str) -> str:
    """The tools in a channel as written by `spelled_channel`; empty if there were none."""
    _, found, tools = channel.partition(_TOOLS)
    return tools.partition(_THINKING)[0] if found else ""


def spelled_condition(
    condition: str,
    shots: int = 0,
    label_order: str = AS_WRITTEN,
    *,
    pixels: int = 0,
    detail: str = "",
) -> str:
    """A condition, a number of few-shot examples, how pictures are sent, and a label order in one word;
    `harness.conditions` reads it back."""
    parts = [] if condition == "none" else [condition]
    parts += [f"shots-{shots}"] if shots else []
    parts += [f"{PIXELS}{spelled_pixels(pixels)}"] if pixels else []
    parts += [f"{DETAIL}{detail}"] if detail else []
    parts += [f"label-order:{label_order}"] if label_order != AS_WRITTEN else []
    return "+".join(parts) or "none"


def trial_id(cell: Cell, sample: str, repeat: int = 0) -> str:
    """Name of one trial: `cell/repeat/sample` (the sample last, since its id may hold anything)."""
    return f"{cell.id}/{repeat}/{sample}"


def sample_of(trial: str) -> str:
    """The sample of a trial's name."""
    return trial.split("/", 2)[2]

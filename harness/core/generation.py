"""A model's reply to one request, or a typed error instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.core.finish import Finish
from harness.core.loop import LoopRecord
from harness.core.message import ToolCall

ErrorKind: TypeAlias = Literal[
    "media",
    "unreachable",
    "timeout",
    "rate-limit",
    "server",
    "bad-reply",
    "rejected",
    "unsupported",
    "no-prediction",
]
"""media: a picture could not be read; bad-reply: the server's answer is not what the protocol says;
rejected: the server refused the request (4xx); unsupported: the model cannot take it; no-prediction: a file of
answers made elsewhere has none for the sample."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server or tokenizer counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Tokens of the completion spent on reasoning; 0 if not counted separately."""
    picture_tokens: int = 0
    """Tokens of the prompt for pictures and videos; 0 if not counted separately."""
    shared_tokens: int = 0
    """Tokens of the prompt that had been read for an earlier one and were not read again; 0 if not counted separately."""
    encoded: int = 0
    """Pictures that went through the vision model for this reply; 0 if they had before, or where nothing tells."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a request was declined, and by whom."""

    by: Literal["model", "platform"]
    """platform: a filter before or behind the model, whatever the model would have said."""
    said: str = ""
    """The server's message."""


Thought: TypeAlias = Literal["", "unclosed", "unopened"]
"""unclosed: reasoning began and never ended; unopened: it ended and never began, as where the chat template has
opened it."""

Estimator: TypeAlias = Literal["first-token", "continuation", "stated", "distribution"]


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Log-probabilities of the candidates of one request, in their order."""

    labels: tuple[str, ...]
    logprobs: tuple[float, ...]
    """Natural logarithms. continuation: summed over the candidate's tokens and the end of the turn;
    first-token: of the candidate's first token alone, where all first tokens differ; stated: of the shares that a
    reply gives its labels in words; distribution: of the shares that a model which writes no text (a dual encoder, a
    classifier) gives its labels."""
    tokens: tuple[int, ...]
    """Tokens summed over, the end of the turn included."""
    estimator: Estimator


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no reply."""

    kind: ErrorKind
    detail: str


@dataclass(frozen=True, slots=True)
class Generation:
    """The reply to one key. A failed one is never reused."""

    key: str
    text: str
    finish: Finish
    usage: Usage = Usage()
    latency: float = 0.0
    """Seconds from sending to the last byte; of a model in place, those of the batch it was computed in."""
    failure: Failure | None = None
    scores: LabelScores | None = None
    """For a request with candidates; `text` is then the most likely one."""
    reasoning: str = ""
    """Reasoning that the model wrote before its answer, if it can be separated. Never read as the answer."""
    thought: Thought = ""
    """Set if the end or the beginning of the reasoning is missing."""
    word: str = ""
    """Why the reply ended in the server's own word, where it says so in another one than `finish`."""
    refusal: Refusal | None = None
    """Told by a field or status of the reply; a refusal in words is found when the text is read."""
    calls: tuple[ToolCall, ...] = ()
    """Calls of tools that the server gave apart from the text."""
    loop: LoopRecord | None = None
    """What a model that was lent tools did by itself before it replied."""
    served: str = ""
    """The model name reported by the server; empty if it reports none."""
    fingerprint: str = ""
    """The server's `system_fingerprint`."""

    @classmethod
    def failed(cls, key: str, kind: ErrorKind, detail: str) -> Generation:
        """A Generation that carries an error instead of text."""
        return cls(key=key, text="", finish="failed", failure=Failure(kind, detail))

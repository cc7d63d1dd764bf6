"""A prompt file: front matter and a Jinja template of turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from harness.core.languages import known_languages
from harness.core.message import Message
from harness.core.prompt_family import PromptFamily

ANY_FIELD = ("*",)
"""The fields of a prompt that suits every task."""


class PromptHead(BaseModel):
    """The front matter: the prompt's contract with tasks and parsers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    """One line for lists."""
    fields: tuple[str, ...] = Field(min_length=1)
    """The fields that a reply to this prompt may fill; a task must have at least one of them. `"*"` alone: any."""
    family: PromptFamily = "chat"
    """What kind of model the prompt is for. `dual`: the template gives the texts of one label, a line each, and is
    rendered once for every label; `none`: it shows pictures and no text."""
    answer: Literal["text", "final", "json", "percentages"] = "text"
    """Where the values stand: anywhere in the text; behind a final-answer line; in a JSON object; or, of one label
    field, a JSON object that gives each label its percentage."""
    protocol: str = "single"
    """How the prompt becomes requests: `single`, `describe-then-answer` (one request for each reply tag, then one for
    the answer), or another of `harness list protocols`."""
    replies: Mapping[str, tuple[str, ...]] = {}
    """Every reply tag in order -> the fields read from that reply (none for a mere description); all other
    fields are read from the last reply. Empty: all fields are."""
    languages: tuple[str, ...] = ()
    """Codes of the languages that replies to this prompt are read in besides those of its task."""
    max_tokens: PositiveInt | None = None
    """Overrides the task's limit (chain of thought needs room)."""
    paraphrase_of: str = ""
    """The prompt that this one says in other words. The page of a run shows how far the scores of a model spread over a
    prompt and its paraphrases."""

    @field_validator("languages")
    @classmethod
    def _are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return known_languages(languages)

    @model_validator(mode="after")
    def _check(self) -> PromptHead:
        named = [name for names in self.replies.values() for name in names]
        for name in named:
            if name not in self.fields or named.count(name) > 1:
                raise ValueError(
                    f"replies: {name} is not a field of this prompt, or is listed twice"
                )
        if self.answer == "percentages" and len(self.fields) > 1:
            raise ValueError("answer: percentages needs exactly one field; its labels are the keys")
        if self.family != "chat":
            for key, usual in (("answer", "text"), ("protocol", "single"), ("max_tokens", None)):
                if getattr(self, key) != usual:
                    raise ValueError(f"{key} has no effect with family: {self.family}")
        return self

    def read_from(self, reply: str | None, asks: Iterable[str]) -> tuple[str, ...]:
        """Those of the asked fields that the reply of that name fills; None is the last one."""
        if reply is not None:
            return tuple(name for name in asks if name in self.replies.get(reply, ()))
        earlier = {name for names in self.replies.values() for name in names}
        return tuple(name for name in asks if name not in earlier)

    def fills(self, asked: Iterable[str]) -> tuple[str, ...]:
        """Those of the asked fields that a reply to this prompt may fill."""
        return tuple(name for name in asked if self.fields == ANY_FIELD or name in self.fields)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A loaded prompt."""

    name: str
    """`family/name`."""
    path: Path
    head: PromptHead
    source: str
    """The whole file, front matter included."""
    digest: str
    """Hex SHA-256 over this file and every file it extends, includes or imports."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A conversation up to the next reply the model owes."""

    messages: tuple[Message, ...]
    awaiting: str | None
    """The name in `{% reply as NAME %}` that comes next; None when the next reply is the last."""

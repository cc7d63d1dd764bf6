"""What a stub server can be made to do: obey constraints in some spellings, and score labels as vLLM does.

with running_stub(**able(obeys={"structured_outputs"}, scores={"ids"})) as stub: ...
"""

from __future__ import annotations

import json
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Collection, Mapping, Sequence
from typing import Any

USER, END, ASSISTANT, NEWLINE = 1, 2, 3, 4
"""Tokens of the stub's chat template; text is one token for each three characters, from 1000 on."""

LOGPROBS: Mapping[str, float] = {"yes": -0.7, "no": -1.2}
"""What the stub thinks of labels; others get -3 and less."""


def able(
    *,
    obeys: Collection[str] = (),
    scores: Collection[str] = (),
    logprobs: Mapping[str, float] = LOGPROBS,
) -> dict[str, Any]:
    """Options of `running_stub`. `obeys`: names of body fields; `scores`: of ids, top, prompt, tokenize."""
    told = _Tokens()

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        choice = completion["choices"][0]
        for name in obeys:
            if name in body and (text := _obeyed(name, body[name])) is not None:
                choice["message"]["content"] = text
        if body.get("logprobs") and {"ids", "top"} & set(scores):
            choice["logprobs"] = told.first(body, scores, logprobs)
        if "prompt" in scores and "prompt_logprobs" in body:
            completion["prompt_logprobs"] = told.places(body, logprobs)

    return {"extend": extend, "tokenize": None if "tokenize" not in scores else told.tokenize}


def _obeyed(name: str, held: Any) -> str | None:
    if name == "structured_outputs":
        ((kind, value), *_) = held.items()
        return {
            "choice": lambda: str(value[-1]),
            "json": lambda: json.dumps(instance(value)),
            "regex": lambda: shortest(value),
        }[kind]()
    if name == "response_format":
        return json.dumps(instance(held["json_schema"]["schema"]))
    if name == "guided_json":
        return json.dumps(instance(held))
    if name == "guided_choice":
        return str(held[-1])
    if name == "grammar":
        return str(json.loads(held.partition("::= ")[2].split(" | ")[0]))
    return shortest(held)


def instance(schema: Mapping[str, Any]) -> Any:
    """A value that fits a schema."""
    if "anyOf" in schema:
        return instance(schema["anyOf"][0])
    if schema["type"] == "object":
        return {name: instance(below) for name, below in schema["properties"].items()}
    if schema["type"] == "array":
        return [instance(schema["items"])]
    if schema["type"] == "number":
        return schema["minimum"]
    if "pattern" in schema:
        return shortest(schema["pattern"].removeprefix("^").removesuffix("$"))
    return schema.get("enum", ["some text"])[0]


def shortest(pattern: str) -> str:
    """A text that a pattern matches."""

    def one(parsed: Any) -> str:
        text = ""
        for code, value in parsed:
            name = str(code)
            if name == "LITERAL":
                text += chr(value)
            elif name == "IN":
                kind, first = value[0]
                text += chr(first if str(kind) == "LITERAL" else first[0])
            elif name == "BRANCH":
                text += one(value[1][0])
            elif name == "SUBPATTERN":
                text += one(value[-1])
            elif name == "MAX_REPEAT":
                text += one(value[2]) * value[0]
            elif name == "ANY":
                text += "x"
        return text

    return one(sre.parse(pattern))


class _Tokens:
    """The stub's tokenizer."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def ids(self, text: str) -> list[int]:
        pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
        return [self._known.setdefault(piece, 1000 + len(self._known)) for piece in pieces]

    def turns(self, messages: Sequence[Mapping[str, Any]], **how: Any) -> list[int]:
        found: list[int] = []
        for number, turn in enumerate(messages):
            text = turn["content"] if isinstance(turn["content"], str) else "[picture]"
            begin = {"assistant": [ASSISTANT, NEWLINE]}.get(turn["role"], [USER])
            last = number + 1 == len(messages)
            end = [] if last and how.get("continue_final_message") else [END, NEWLINE]
            found += [*begin, *self.ids(text), *end]
        return found + ([ASSISTANT, NEWLINE] if how.get("add_generation_prompt") else [])

    def tokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        how = {k: body.get(k, k == "add_generation_prompt") for k in _HOW}
        return {"tokens": self.turns(body["messages"], **how)}

    def first(
        self, body: Mapping[str, Any], scores: Collection[str], logprobs: Mapping[str, float]
    ) -> dict[str, Any]:
        given = {self.ids(label)[0]: value for label, value in list(logprobs.items())[::-1]}
        wanted = body.get("logprob_token_ids") if "ids" in scores else None
        ids = wanted or [*given, *range(10, 40)][: body.get("top_logprobs", 0)]
        rows = [{"token": f"token_id:{i}", "logprob": given.get(i, -3.0 - i / 1e4)} for i in ids]
        return {"content": [{"token": "x", "logprob": -1.0, "top_logprobs": rows}]}

    def places(
        self, body: Mapping[str, Any], logprobs: Mapping[str, float]
    ) -> list[dict[str, Any] | None]:
        """The label's whole log-probability on its first token, -0.25 on every other, -0.125 on the end."""
        label = str(body["messages"][-1]["content"])
        ids = self.turns(body["messages"], add_generation_prompt=False)
        own = len(self.ids(label))
        values = [-9.0] * (len(ids) - own - 2)
        values += [logprobs.get(label, -3.0)] + [-0.25] * (own - 1) + [-0.125, -0.5]
        return [
            None if not at else {str(token): {"logprob": value}, "7": {"logprob": -0.01}}
            for at, (token, value) in enumerate(zip(ids, values, strict=True))
        ]


_HOW = ("add_generation_prompt", "continue_final_message")

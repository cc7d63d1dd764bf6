"""Constraints in the request formats of different servers.

Servers differ, and one that does not know a spelling often answers in free text without a word. So none
is believed: `harness.models.http.probe` tries them in this order and takes the first that is obeyed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from harness.answers.constraints import json_pattern
from harness.core.constraint import Constraint, ConstraintKind
from harness.core.generation import Generation
from harness.core.request import Request

Spell: TypeAlias = Callable[[Constraint], dict[str, Any]]


def spellings(kind: ConstraintKind) -> tuple[str, ...]:
    """Names of the spellings of a kind of constraint, in the order in which they are tried."""
    return tuple(_SPELLINGS[kind])


def spell(constraint: Constraint, spelling: str) -> dict[str, Any]:
    """What is added to the body. Raises KeyError for a spelling that the kind does not have."""
    return _SPELLINGS[constraint.kind][spelling](constraint)


def held_to(request: Request, held: Mapping[ConstraintKind, str]) -> dict[str, Any] | Generation:
    """What is added to the body of a request; a failed Generation where its kind of constraint is not among those that
    the server was proved to hold to (kind -> spelling)."""
    if request.constraint is None:
        return {}
    kind = request.constraint.kind
    if kind not in held:
        return Generation.failed(
            request.key, "unsupported", f"the server does not enforce this constraint ({kind})"
        )
    return spell(request.constraint, held[kind])


def bare(text: str, constraint: Constraint | None, spelling: str | None) -> str:
    """The reply to a constrained request as if no wrapping had been asked for: the choice in an answer that had to be a
    JSON object. A text that is no such object stays as it is."""
    if constraint is None or constraint.kind != "choice" or spelling != _WRAPPED:
        return text
    try:
        chosen = json.loads(text)
    except (ValueError, RecursionError):
        return text
    found = chosen.get(_ANSWER) if isinstance(chosen, dict) else None
    return found if isinstance(found, str) else text


def unwrapped(
    generation: Generation, request: Request, held: Mapping[ConstraintKind, str]
) -> Generation:
    """The reply to a request as `bare` has it, where it was held in one of the spellings `held`."""
    if request.constraint is None or generation.failure is not None:
        return generation
    text = bare(generation.text, request.constraint, held.get(request.constraint.kind))
    return generation if text == generation.text else replace(generation, text=text)


_WRAPPED = "response_format"
_ANSWER = "answer"


def _choice_object(constraint: Constraint) -> dict[str, Any]:
    """An object with one field, since servers take no schema of a bare text."""
    schema = {
        "type": "object",
        "properties": {_ANSWER: {"type": "string", "enum": list(constraint.choices)}},
        "required": [_ANSWER],
        "additionalProperties": False,
    }
    return _response_format(Constraint("json", text=json.dumps(schema)))


def _alternatives(constraint: Constraint) -> str:
    return "|".join(re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", c) for c in constraint.choices)


def _grammar(constraint: Constraint) -> str:
    """A grammar in llama.cpp's form; a JSON string is a literal there too."""
    return "root ::= " + " | ".join(json.dumps(c) for c in constraint.choices)


def _pattern(constraint: Constraint) -> str:
    return json_pattern(json.loads(constraint.text))


def _response_format(constraint: Constraint) -> dict[str, Any]:
    schema = json.loads(constraint.text)
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        }
    }


_SPELLINGS: Mapping[ConstraintKind, Mapping[str, Spell]] = {
    "choice": {
        "structured_outputs": lambda c: {"structured_outputs": {"choice": list(c.choices)}},
        "guided_choice": lambda c: {"guided_choice": list(c.choices)},
        "regex": lambda c: {"regex": _alternatives(c)},
        "grammar": lambda c: {"grammar": _grammar(c)},
        _WRAPPED: _choice_object,
    },
    "json": {
        "structured_outputs": lambda c: {"structured_outputs": {"json": json.loads(c.text)}},
        "response_format": _response_format,
        "guided_json": lambda c: {"guided_json": json.loads(c.text)},
        "structured_outputs_regex": lambda c: {"structured_outputs": {"regex": _pattern(c)}},
        "guided_regex": lambda c: {"guided_regex": _pattern(c)},
        "regex": lambda c: {"regex": _pattern(c)},
    },
    "calls": {
        "structured_outputs": lambda c: {"structured_outputs": {"json": json.loads(c.text)}},
        "response_format": _response_format,
        "guided_json": lambda c: {"guided_json": json.loads(c.text)},
    },
    "regex": {
        "structured_outputs": lambda c: {"structured_outputs": {"regex": c.text}},
        "guided_regex": lambda c: {"guided_regex": c.text},
        "regex": lambda c: {"regex": c.text},
    },
}
"""structured_outputs: vLLM from 0.12; guided_*: vLLM up to 0.11; response_format: OpenAI and most others
(a choice is then wrapped in an object, see `bare`);
regex: SGLang; grammar: llama.cpp. A schema as a pattern comes last: it helps models too weak to end their JSON."""

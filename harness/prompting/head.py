"""The front matter of a prompt file: YAML between two lines of three hyphens."""

from __future__ import annotations

import difflib

from pydantic import ValidationError

from harness.core.prompt import PromptHead
from harness.core.yaml_text import YamlFault, parse_yaml
from harness.prompting.faults import PromptError

_FENCE = "---"
_MOST_VALUES = 1000
_KEYS = ", ".join(PromptHead.model_fields)


def split_head(source: str) -> tuple[str, str, int]:
    """(front matter, template, line of the first key). The template has as many lines as the file,
    the front matter's own turned into a comment, so that lines in messages are the file's."""
    lines = source.split("\n")
    if lines[0].rstrip() != _FENCE:
        return "", source, 0
    for k in range(1, len(lines)):
        if lines[k].rstrip() == _FENCE:
            comment = "{#" + "\n" * k + "#}"
            return "\n".join(lines[1:k]), comment + "\n" + "\n".join(lines[k + 1 :]), 2
    return "", source, -1


def parse_head(source: str, *, file: str) -> PromptHead:
    """The head of a prompt. Raises PromptError naming file, line and key."""
    text, _, start = split_head(source)
    if start < 0:
        raise PromptError(file, 1, "the front matter is not closed", hint="end it with a line ---")
    if start == 0:
        raise PromptError(
            file, 1, "no front matter", hint="start the file with ---, `fields: [emotion]`, ---"
        )
    values = _load(text, file=file)
    try:
        return PromptHead.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        # a key that is spelt wrong is told before the one that is missing because of it
        first = min(faults, key=lambda fault: fault["type"] != "extra_forbidden")
        raise _explain(first["loc"], first["type"], first["msg"], text, file) from None


def _load(text: str, *, file: str) -> dict[str, object]:
    try:
        values, _ = parse_yaml(text, most=_MOST_VALUES)
    except YamlFault as fault:
        raise PromptError(
            file,
            1 + fault.line,
            f"front matter: {fault.problem}",
            hint=fault.hint or "write `key: value` lines",
        ) from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise PromptError(
            file,
            2,
            "the front matter is not a mapping",
            hint=f"write `key: value` lines; keys: {_KEYS}",
        )
    return values


def _explain(
    place: tuple[int | str, ...], kind: str, message: str, text: str, file: str
) -> PromptError:
    key = str(place[0]) if place else ""
    line = _line_of(key, text)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(key, PromptHead.model_fields, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return PromptError(
            file, line, f"unknown key {key!r} in the front matter", hint=f"{meant}keys: {_KEYS}"
        )
    if kind == "missing":
        return PromptError(
            file,
            line,
            f"{key!r} is missing in the front matter",
            hint=f"add a line such as {_example(key)}",
        )
    return PromptError(
        file, line, f"front matter, {key}: {message}", hint=f"write it as {_example(key)}"
    )


def _line_of(key: str, text: str) -> int:
    """The file's line that sets `key`; the opening fence where none does."""
    for k, line in enumerate(text.split("\n")):
        if line.split(":", 1)[0].strip().strip("'\"") == key:
            return k + 2
    return 1


def _example(key: str) -> str:
    examples = {
        "description": "`description: One word from the list.`",
        "fields": "`fields: [emotion]`",
        "answer": "`answer: text` (or final, or json)",
        "protocol": "`protocol: single`",
        "max_tokens": "`max_tokens: 512`",
        "languages": "`languages: [de, fr]`",
    }
    return examples.get(key, f"`{key}: ...`")

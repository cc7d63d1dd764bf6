"""The page on `import harness`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import harness
from harness.core.model import Card, Model

from .markdown import code, page, prose
from .members import docstrings

_INTRO = """
# Python

`import harness` offers what the commands do. `evaluate` takes what `harness run` takes and writes the same run folder.
Tables are pandas DataFrames. What is wrong raises `harness.HarnessError`; its hint names options as the command has
them.

```python
import harness

harness.draw(14, seed=3, out="faces")  # drawn faces stand in for yours
run = harness.evaluate(
    "table/emotion",
    model="affect-tiny",
    source={
        "file": "faces/annotations.parquet",
        "image": "image",
        "label": "emotion",
        "subject": "subject",
    },
)
run.scores()  # one row a score
run.records()  # one row a trial and field
run.outcomes()  # how many answered, refused, ...
```

All of it works in a notebook: [notebook.ipynb](../notebook.ipynb) is one to start from.
"""

_HEADINGS = re.compile(r"^(Args|Returns|Raises|Yields):\s*$", re.MULTILINE)


def python_page() -> str:
    """Every public name."""
    functions = [name for name in harness.__all__ if inspect.isfunction(getattr(harness, name))]
    blocks = [_INTRO, "## Functions"]
    blocks += [_function(f"harness.{name}", getattr(harness, name)) for name in functions]
    blocks += [
        "## Options of `evaluate`",
        _typed(harness.EvaluateOptions),
        "## harness.Run",
        _docstring(harness.Run),
        *_methods(harness.Run),
        "## harness.DrawnFace",
        _docstring(harness.DrawnFace),
        _typed(harness.DrawnFace),
        "## harness.Task",
        "A task as its file describes it; a frozen pydantic model. Its keys are those of a [task file](task-file.md).",
        "## harness.HarnessError",
        _docstring(harness.HarnessError),
        "## A model of your own",
        "`model=` takes an object with a `card`, `async reply(request)` and `async close()`. See "
        "[A model adapter](../extend/model.md).",
        _docstring(Model),
        "### The card",
        _typed(Card),
    ]
    return page(*blocks)


def _function(name: str, function: Callable[..., Any]) -> str:
    return f"### {name}\n\n{_signature(name, function)}\n\n{_docstring(function)}"


def _signature(name: str, function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    shown = [one for key, one in signature.parameters.items() if key != "self"]
    if len(shown) > 12:  # evaluate: its options stand below, one by one
        return f"```text\n{name}(task, *, model=..., prompts=..., source=..., out=..., ...)\n```"
    words, keyword = [], False
    for one in shown:
        if one.kind is one.KEYWORD_ONLY and not keyword:
            words.append("*")
            keyword = True
        words.append(_parameter(one))
    gives = _plain(signature.return_annotation)
    text = f"{name}({', '.join(words)}) -> {gives}"
    if len(text) > 88:
        inner = textwrap.indent(",\n".join(words), "    ")
        text = f"{name}(\n{inner},\n) -> {gives}"
    return f"```text\n{text}\n```"


def _parameter(one: inspect.Parameter) -> str:
    mark = "*" if one.kind is one.VAR_POSITIONAL else ""
    default = "" if one.default is one.empty else f" = {one.default!r}"
    return f"{mark}{one.name}: {_plain(one.annotation)}{default}"


def _plain(annotation: Any) -> str:
    return str(annotation).replace("'", "").replace("typing.", "")


def _methods(found: type) -> Iterator[str]:
    for name, member in vars(found).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"### Run.{name}\n\n{_docstring(member)}"
        elif inspect.isfunction(member):
            yield _function(f"Run.{name}", member)


def _docstring(found: Any) -> str:
    """A docstring in Google's style as Markdown."""
    text = inspect.getdoc(found) or ""
    pieces = _HEADINGS.split(text)
    blocks = [prose(pieces[0])]
    for heading, body in zip(pieces[1::2], pieces[2::2], strict=True):
        section, _, after = _outdented(body)
        items = _items(section)
        blocks.append(f"**{heading}**")
        blocks.append("\n".join(f"- {item}" for item in items) if items else prose(section))
        if after:
            blocks.append(prose(after))
    return "\n\n".join(blocks)


def _outdented(body: str) -> tuple[str, str, str]:
    """The indented part of a section, and what follows it."""
    lines = body.strip("\n").splitlines()
    end = next((k for k, line in enumerate(lines) if line and not line[0].isspace()), len(lines))
    return textwrap.dedent("\n".join(lines[:end])), "", "\n".join(lines[end:])


def _items(section: str) -> list[str]:
    """`name: text` items, each with its indented continuation; empty where the section is plain prose."""
    items: list[list[str]] = []
    for line in section.splitlines():
        if line and not line[0].isspace():
            if not re.match(r"[*\w]+: ", line):
                return []
            items.append([line])
        elif items:
            items[-1].append(line)
    found = []
    for lines in items:
        name, _, text = " ".join(one.strip() for one in lines).partition(": ")
        found.append(f"{code(name)}: {prose(text)}")
    return found


def _typed(found: type) -> str:
    """Every member of a class with its annotation and docstring."""
    told = docstrings(found)
    annotations = {
        name: annotation
        for one in reversed(found.__mro__)
        for name, annotation in vars(one).get("__annotations__", {}).items()
        if not name.startswith("_")
    }
    rows = []
    for name, annotation in annotations.items():
        kind = getattr(annotation, "__forward_arg__", annotation)
        rows.append(f"{code(name)} ({code(str(kind).replace('typing.', ''))})\n:   {prose(told.get(name, ''))}")  # fmt: skip
    return "\n\n".join(rows)

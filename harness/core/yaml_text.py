"""Read untrusted YAML with limits on depth and size, and without duplicate keys.

A short text can stand for endless data (`a: &a [*b, *b]`), nest deeper than a parser's stack, or hold a number of a
million digits. All of that is counted while the parser's events pass, before anything is built of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import ConstructorError

MOST_NODES = 100_000
"""Most values in a text, those behind an alias counted wherever it stands."""
_DEEPEST = 40
_LONGEST_NUMBER = 300
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFault(Exception):
    """What is wrong in a text, at which line (from 1), and what to do."""

    def __init__(self, line: int, problem: str, *, hint: str = "") -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem
        self.hint = hint


def parse_yaml(text: str, *, most: int = MOST_NODES) -> tuple[Any, yaml.Node | None]:
    """The data in a text, and its parsed tree, whose marks know lines. An empty text gives None, None.

    Raises YamlFault: broken YAML, a repeated key, nesting, numbers or aliases without measure.
    """
    try:
        _count(text, most)
        root = yaml.compose(text, Loader=_LOADER)
        if root is None:
            return None, None
        _refuse_repeated(root)
        return _Builder("").construct_document(root), root
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlFault(line, f"not valid YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        raise YamlFault(line, f"not valid YAML: {error.reason}") from None
    except yaml.YAMLError as error:
        raise YamlFault(1, f"not valid YAML: {str(error).partition(chr(10))[0]}") from None


class _Builder(yaml.SafeLoader):
    """Builds plain data; a value that cannot be built is an error with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in _NUMBERS and len(str(node.value)) > _LONGEST_NUMBER:
            raise ConstructorError(None, None, "a number is too long", node.start_mark)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError, RecursionError, LookupError) as error:
            problem = f"{str(node.value)!r:.40} cannot be read: {error}"
            raise ConstructorError(None, None, problem, node.start_mark) from None


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come, and how many values it holds so far."""

    anchor: str | None
    size: int = 1


def _count(text: str, most: int) -> None:
    """Raise YamlFault for a text that nests too deeply or stands for more than `most` values."""
    sizes: dict[str, int] = {}
    stack = [_Open(None)]
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.events.AliasEvent):
            if event.anchor not in sizes:
                if any(one.anchor == event.anchor for one in stack):
                    raise YamlFault(
                        line, f"alias *{event.anchor} is used inside the value that it refers to"
                    )
                continue  # composing says that there is none
            stack[-1].size += sizes[event.anchor]
        elif isinstance(event, yaml.events.CollectionStartEvent):
            stack.append(_Open(event.anchor))
        elif isinstance(event, yaml.events.CollectionEndEvent):
            done = stack.pop()
            stack[-1].size += done.size
            if done.anchor:
                sizes[done.anchor] = done.size
        elif isinstance(event, yaml.events.ScalarEvent):
            stack[-1].size += 1
            if "\0" in event.value:
                raise YamlFault(line, "a text holds a NUL character", hint="remove it")
            if event.anchor:
                sizes[event.anchor] = 1
        if len(stack) > _DEEPEST:
            raise YamlFault(line, f"nested more than {_DEEPEST} deep", hint="nest it less")
        if stack[-1].size > most:
            raise YamlFault(
                line, f"more than {most:,} values, with what aliases repeat", hint="write less"
            )


def _refuse_repeated(root: yaml.Node) -> None:
    """Raise YamlFault for a mapping that has a key twice; what an alias repeats is looked at once."""
    seen: set[int] = set()
    waiting: list[tuple[tuple[str, ...], yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += _entries(path, node)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [((*path, str(k)), item) for k, item in enumerate(node.value)]


def _entries(
    path: tuple[str, ...], node: yaml.MappingNode
) -> Iterator[tuple[tuple[str, ...], yaml.Node]]:
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        below = (*path, str(key.value))
        if isinstance(key, yaml.ScalarNode):
            first = lines.get((key.tag, key.value))
            if first is not None:
                raise YamlFault(
                    line,
                    f"{'.'.join(below)} appears twice",
                    hint=f"remove one of the two (the first is on line {first})",
                )
            lines[key.tag, key.value] = line
        yield below, value

"""Find JSON objects in a reply in one pass, tolerating common mistakes of models.

Read: prose and fences around, single quotes, trailing commas, bare keys, Python's True/None,
comments, an object cut off. What is not forgiven is left out, never made up. Depth is limited.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.answers.normal import LONGEST
from harness.answers.pattern import pattern

_TOKEN = pattern(
    r'\s*(?:"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
    r"|'(?:[^'\\\n]|\\.|'(?!\s*[,:}\]]))*+(?:'|(?=\n)|\\?\Z)"
    r"|[{}\[\]:,]|//[^\n]*|[^\W\d][\w -]{0,60}(?= {0,8}[,:}\]\n]|\Z)|[\w.+-]+|\S|\Z)",
    re.DOTALL,
)
_END = pattern(r"[\w.+-]*\Z")
_LAST = 400
"""Characters of a number or word at the end of a reply that are looked at."""
_DEPTH = 32
_OBJECTS = 64
_STRICT = 1_000_000
"""Characters of JSON as it should be, which is read whole."""
_WORDS = {"true": True, "false": False, "null": None, "none": None, "nan": None}


@dataclass(frozen=True, slots=True)
class Bare:
    """A word without quotes."""

    text: str


@dataclass(slots=True)
class Node:
    """An object or an array as read."""

    is_object: bool
    pairs: list[tuple[str, Loose]] = field(default_factory=list)
    """Keys as written with values, repeats kept; arrays have empty keys."""
    closed: bool = False
    cut_key: str | None = None
    """The key whose value was being written when the text ended."""


Loose: TypeAlias = "str | float | int | bool | Node | None"


def find_objects(text: str) -> list[Node]:
    """The last 64 top-level objects in order. Linear in the length; never raises.

    Of a long text that is no JSON the last `LONGEST` characters are read.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        return []
    strict = _strict(text[start : end + 1]) if 0 < end - start < _STRICT else None
    if strict is not None and "{" not in text[end:]:
        return [strict]
    return _loose(text, max(start, len(text) - LONGEST))


def without_cut_value(text: str) -> str:
    """The text without a number or word at its very end, of which more may have followed: `{"age": 3` may be 34."""
    found = _END.search(text, max(0, len(text) - _LAST))
    return text if found is None else text[: found.start()]


def members_of_array(text: str, objects: list[Node]) -> list[Node]:
    """The objects of a reply; where all stand in one array, that array, so that none of them counts as the last word."""
    if len(objects) < 2:
        return objects
    before, behind = text[: text.find("{")], text[text.rfind("}") + 1 :]
    if not before.rstrip().endswith("[") or not behind.lstrip().startswith("]"):
        return objects
    pairs: list[tuple[str, Loose]] = [("", one) for one in objects]
    return [Node(False, pairs, closed=True)]


def _strict(text: str) -> Node | None:
    def build(pairs: list[tuple[str, object]]) -> Node:
        return Node(True, [(k, _convert(v)) for k, v in pairs], closed=True)

    try:
        value = json.loads(text, object_pairs_hook=build, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Node) else None


def _convert(value: object) -> Loose:
    if isinstance(value, list):
        return Node(False, [("", _convert(item)) for item in value], closed=True)
    if value is None or isinstance(value, (str, bool, int, float, Node)):
        return value
    return None


@dataclass(slots=True)
class _Frame:
    node: Node
    key: str | None = None
    waiting: bool = False
    """A colon has been read and the value has not."""


def _loose(text: str, start: int) -> list[Node]:  # noqa: PLR0912 - one branch a mark
    found: list[Node] = []
    stack: list[_Frame] = []
    skipping, at = 0, start
    while at < len(text):
        if not stack:
            at = text.find("{", at)
            if at < 0:
                break
        match = _TOKEN.match(text, at)
        if match is None or not match.group():
            break
        at = match.end()
        mark = match.group().strip()
        if skipping:
            skipping += (mark in "{[") - (mark in "}]")
            continue
        if mark in ("{", "["):
            if len(stack) >= _DEPTH:
                skipping = 1
                continue
            node = Node(mark == "{")
            if stack:
                _put(stack[-1], node)
            else:
                found.append(node)
            stack.append(_Frame(node))
        elif not stack or not mark or mark.startswith("//"):
            continue
        elif mark in ("}", "]"):
            stack.pop().node.closed = True
        elif mark[0] in "\"'" and (len(mark) == 1 or mark[-1] != mark[0]):
            break  # a string that never ends
        else:
            _feed(stack[-1], mark)
    if stack:
        for frame in stack:
            frame.node.cut_key = frame.key
    return found[-_OBJECTS:]


def _feed(frame: _Frame, mark: str) -> None:
    if mark == ":":
        frame.waiting = frame.key is not None
    elif mark == ",":
        frame.key, frame.waiting = None, False
    else:
        value = _scalar(mark)
        if frame.node.is_object and not frame.waiting:
            frame.key = value.text if isinstance(value, Bare) else str(value)
        elif isinstance(value, Bare):
            low = value.text.lower()
            _put(frame, _WORDS.get(low, value.text))
        else:
            _put(frame, value)


def _put(frame: _Frame, value: Loose) -> None:
    if not frame.node.is_object:
        frame.node.pairs.append(("", value))
    elif frame.key is not None and frame.waiting:
        frame.node.pairs.append((frame.key, value))
        if not isinstance(value, Node):
            frame.key, frame.waiting = None, False


def _scalar(mark: str) -> str | float | int | Bare:
    if mark[0] in "\"'" and len(mark) > 1 and mark[-1] == mark[0]:
        try:
            return str(json.loads(mark)) if mark[0] == '"' else mark[1:-1].replace("\\'", "'")
        except ValueError:
            return mark[1:-1]
    if mark[0].isdigit() or (len(mark) > 1 and mark[0] in "+-." and mark[-1].isalnum()):
        try:
            return float(mark) if any(c in mark for c in ".eE") else int(mark[:400])
        except ValueError:
            return Bare(mark)
    return Bare(mark.strip())

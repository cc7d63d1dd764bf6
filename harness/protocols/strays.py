"""Find a call that a reply writes in another form than the one it was told.

Model families were each taught a form of their own, and servers strip its special tokens. Such a call is never carried out,
so that the share of valid calls means what it says; but it must not be taken for an answer either. A word that could be
part of an answer is no call: what counts is a mark of a family, JSON that names a tool, or a tool's name with arguments.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Tools: TypeAlias = Mapping[str, Collection[str]]
"""Names of the tools that are offered -> names of their arguments."""
Span: TypeAlias = tuple[int, int]

MOST_READ = 50_000
"""Characters of a reply in which a call is looked for."""
MOST_TRIED = 64
"""Brackets of a reply that are tried as the beginning of JSON."""

_MARK = re.compile(
    r"<[\s/|]{0,4}(?:\w{1,20}[:|_])?(?:tool|function)s?[ _\u2581-]?(?:call|use|code)"
    r"|<(?:function|tool)(?:\s+name)?\s*=|<(?:\w{1,20}:)?invoke\b|<tool>"
    r"|<\|(?:python_tag|plugin|interpreter|action_start|start_action|call)\|>"
    r"|\[/?(?:tool|function)[ _-]?calls?\]|\[args\]\s*\{|\bfunctools\s*\["
    r"|\u273f(?:function|args)\u273f|\bto=functions\.\w|```\s*tool_(?:code|calls?)\b",
    re.IGNORECASE,
)
"""How families begin or end a call."""
_REACT = re.compile(
    r"^[ \t]*(?:Action[ \t]*Input[ \t]*:|Action[ \t]*:[^\n]{1,80}\n\s*Action[ \t]*Input)",
    re.MULTILINE | re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")

_NAMED = ("name", "tool", "tool_name", "function", "function_name", "action", "recipient_name")
_HOLDING = ("call", "calls", "tool_call", "tool_calls", "tool_uses", "function", "function_call")
_LOOSE = re.compile(
    rf"\{{[^{{}}]{{0,200}}?[\"'\u201c\u201d`]?\b(?:{'|'.join(_NAMED)})[\"'\u201c\u201d`]?\s*[:=]\s*[\"'\u201c\u201d`]\s*(\w{{1,64}})"
    r"(?P<given>[^{}]{0,200}?[\"'\u201c\u201d`]?(?:arguments|parameters)[\"'\u201c\u201d`]?\s*[:=])?"
)
"""JSON that names a tool and is not quite JSON: other quotes, a comma too many, cut off."""
_LIST = re.compile(r"\A\s*\[\s*\w{1,40}\((?:\w+\s*=[^\n]*)?\)\s*\]\s*\Z")


def find_stray(text: str, tools: Tools, *, react: bool = True) -> Span | None:
    """Where a call stands in a text that holds none in its own form; None where it holds none at all.

    `react`: whether the lines of ReAct are such a call. Takes time linear in the length of the text; never raises.
    """
    read = text[:MOST_READ]
    return next(_candidates(read, tools, react=react), None)


def _candidates(text: str, tools: Tools, *, react: bool) -> Iterator[Span]:
    if found := _MARK.search(text):
        yield found.start(), len(text)
    elif _MARK.search(_plain(text)):
        yield 0, len(text)
    if react and (found := _REACT.search(text)):
        yield found.start(), len(text)
    yield from _in_json(text, tools)
    for loose in _LOOSE.finditer(text):
        if loose[1] in tools or loose["given"]:
            yield loose.start(), len(text)
    if found := _LIST.match(text):
        yield found.span()
    if tools:
        yield from _by_name(text, tools)


def _plain(text: str) -> str:
    """Full-width signs, escaped angle brackets and what cannot be seen, as a reader takes them."""
    if text.isascii() and "&" not in text:
        return text
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", html.unescape(text)))


def _in_json(text: str, tools: Tools) -> Iterator[Span]:
    decoder, done, tried = json.JSONDecoder(strict=False), 0, 0
    for bracket in re.finditer(r"[\[{]", text):
        if bracket.start() < done:
            continue
        if tried == MOST_TRIED:
            return
        tried += 1
        try:
            value, done = decoder.raw_decode(text, bracket.start())
        except (ValueError, RecursionError):
            continue
        if _is_call(value, tools):
            yield bracket.start(), done


def _is_call(value: Any, tools: Tools, depth: int = 0) -> bool:
    if depth > 4:
        return False
    if isinstance(value, list):
        return any(_is_call(one, tools, depth + 1) for one in value[:20])
    if not isinstance(value, dict):
        return False
    held = [value[key] for key in _HOLDING if isinstance(value.get(key), dict | list)]
    told = [value[key].strip() for key in _NAMED if isinstance(value.get(key), str)]
    given = "arguments" in value or "parameters" in value
    return (
        any(_is_call(one, tools, depth + 1) for one in held)
        or any(name in tools for name in told)
        or (isinstance(value.get("name"), str) and given)
        or (len(value) == 1 and any(k in tools and isinstance(v, dict) for k, v in value.items()))
    )


def _by_name(text: str, tools: Tools) -> Iterator[Span]:
    """A tool's name with its arguments: `[zoom(region="mouth")]`, `zoom(...)` on a line of its own, `zoom {...}`,
    `<zoom ...>`."""
    written, before_json = _forms(tuple(sorted(tools)))
    for found in written.finditer(text):
        yield found.start(), len(text) if found[0][0] in "[<" else found.end()
    decoder = json.JSONDecoder(strict=False)
    for number, found in enumerate(before_json.finditer(text)):
        if number == MOST_TRIED:
            return
        try:
            value, end = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and {*value} <= {*tools[found[1]]}:
            yield found.start(), end


@lru_cache(maxsize=32)
def _forms(names: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    name = "|".join(map(re.escape, names))
    told = r"\((?:\s*|\s*(?:\w+\s*=|[\"'\u201c\[{\d])[^()]{0,500}(?:\([^()]{0,200}\)[^()]{0,500}){0,4})\)"
    before = r"(?:(?:print|await|call|tool|tool[ _-]?call|function|action|use)\b[ \t:(]{0,4}){0,3}(?:\w{1,20}\.)?"
    written = re.compile(
        rf"\[\s*(?:\w{{1,20}}\.)?(?:{name})\(|^(?:[^\w\n]|\d[.)]){{0,10}}{before}(?:{name}){told}[^\w\n]*$"
        rf"|</?(?:{name})\b[^<>\n]{{0,200}}>",
        re.MULTILINE | re.IGNORECASE,
    )
    before_json = re.compile(
        rf"(?<!\w)(?:functions?[.\s:/]?)?({name})(?::\d{{1,3}})?(?:\[ARGS\]|<[^<>\s]{{1,40}}>|json\b|```(?:json)?|[:=]|\s){{0,4}}(?=\{{)"
    )
    return written, before_json

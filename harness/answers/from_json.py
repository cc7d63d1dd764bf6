"""From JSON values to answers: which key is meant, and what each kind of value says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from harness.answers.loose_json import Loose, Node
from harness.answers.normal import Reply, plain
from harness.answers.verdict import Form, answered, lacking
from harness.core.answer import Answer
from harness.core.field import FieldKind
from harness.core.outcome import Outcome

_GENERIC = frozenset(
    [
        "answer",
        "finalanswer",
        "label",
        "prediction",
        "result",
        "class",
        "classification",
        "value",
        "choice",
        "response",
        "output",
    ]
)
_NEST = 3

ReadText = Callable[[Reply, Form], Answer]


def read_object(
    objects: Sequence[Node],
    name: str,
    kind: FieldKind,
    read_text: ReadText,
    *,
    alone: bool,
    truncated: bool,
) -> Answer | None:
    """The answer for one field: the last object with its key, the outermost key first.

    `alone`: no other field is asked, so that `{"answer": ...}` is this field. None where no object
    has the key. A key that stands twice with different values is ambiguous.
    """
    wanted = {_plain_key(name)}
    for accepted in (wanted, _GENERIC if alone else frozenset[str]()):
        for top in reversed(objects):
            for level in _levels(top):
                values = [v for node in level for k, v in node.pairs if _plain_key(k) in accepted]
                cut = any(
                    n.cut_key is not None and _plain_key(n.cut_key) in accepted for n in level
                )
                if (
                    len(values) == 1
                    and isinstance(values[0], Node)
                    and values[0].is_object
                    and alone
                    and accepted is _GENERIC
                ):
                    continue
                answer = _one(values, kind, read_text, cut=cut, truncated=truncated)
                if answer is not None:
                    return answer
    return None


def _plain_key(key: str) -> str:
    plain_key = "".join(c for c in key.casefold() if c.isalnum())
    return plain_key[:-1] if plain_key.endswith("s") and len(plain_key) > 4 else plain_key


def _levels(top: Node) -> Iterator[list[Node]]:
    level = [top]
    for _ in range(_NEST):
        if not level:
            return
        yield level
        level = [v for n in level for _, v in n.pairs if isinstance(v, Node)][:64]


def _one(
    values: Sequence[Loose], kind: FieldKind, read_text: ReadText, *, cut: bool, truncated: bool
) -> Answer | None:
    open_node = any(isinstance(v, Node) and not v.closed for v in values)
    if (cut and not values) or open_node:
        outcome = Outcome.TRUNCATED if truncated else Outcome.UNPARSED
        return lacking(outcome, "json/truncated" if truncated else "json/incomplete")
    answers = [read_value(value, kind, read_text) for value in values]
    if not answers:
        return None
    if any((a.outcome, a.value) != (answers[0].outcome, answers[0].value) for a in answers):
        return lacking(Outcome.AMBIGUOUS, "json/repeated-key")
    return answers[-1]


def read_value(value: Loose, kind: FieldKind, read_text: ReadText) -> Answer:  # noqa: PLR0911 - by type
    """The answer that one JSON value gives for a field of a kind."""
    if value is None:
        return lacking(Outcome.UNPARSED, "json/null")
    if isinstance(value, Node):
        return _from_node(value, kind, read_text)
    if isinstance(value, bool):
        return _from_bool(value, kind, read_text)
    if isinstance(value, str):
        return _from_text(value, kind, read_text)
    if kind == "yes-no" and value in (0, 1):
        return answered("yes" if value else "no", "json/yes-no")
    if kind == "number" and isinstance(value, int) and abs(value) > 10**15:
        return lacking(Outcome.OFF_LIST, "json/out-of-range")
    if kind == "number" and not math.isfinite(value):
        return lacking(Outcome.UNPARSED, "json/not-finite")
    return _from_text(repr(value), kind, read_text)


def _from_bool(value: bool, kind: FieldKind, read_text: ReadText) -> Answer:
    if kind in ("yes-no", "label"):
        return _from_text("yes" if value else "no", kind, read_text)
    return lacking(Outcome.UNPARSED, "json/type")


def _from_text(text: str, kind: FieldKind, read_text: ReadText) -> Answer:
    if kind == "set" and not text.strip():
        return answered((), "json/none")
    found = read_text(plain(text, truncated=False), "text")
    rule = f"json/{found.rule}"
    if found.outcome is Outcome.UNPARSED and kind == "label" and found.rule == "none":
        return lacking(Outcome.OFF_LIST, "json/off-list")
    return Answer(found.outcome, found.value, rule)


def _from_node(node: Node, kind: FieldKind, read_text: ReadText) -> Answer:
    if kind == "set":
        return _set_from(node, read_text)
    if not node.is_object:
        if len(node.pairs) == 1:
            return read_value(node.pairs[0][1], kind, read_text)
        outcome = Outcome.AMBIGUOUS if node.pairs else Outcome.UNPARSED
        return lacking(outcome, "json/array")
    inner = [
        v for k, v in node.pairs if _plain_key(k) in _GENERIC or _plain_key(k) in ("name", "score")
    ]
    if len(inner) == 1 and not isinstance(inner[0], Node):
        return read_value(inner[0], kind, read_text)
    return lacking(Outcome.UNPARSED, "json/type")


def _set_from(node: Node, read_text: ReadText) -> Answer:
    items: list[str] = []
    for key, value in node.pairs:
        if node.is_object:
            if not isinstance(value, bool):
                return lacking(Outcome.UNPARSED, "json/type")
            items += [key] if value else []
        elif isinstance(value, Node):
            inner = [
                v for k, v in value.pairs if _plain_key(k) in ("name", "label", "au", "actionunit")
            ]
            items += [str(v) for v in inner[:1]]
        elif value is not None:
            items.append(str(value))
    if not items:
        return answered((), "json/none")
    return _from_text(", ".join(item.replace(",", " ") for item in items[:200]), "set", read_text)

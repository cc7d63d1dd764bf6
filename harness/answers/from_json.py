"""Read answers from JSON values: find the key, and interpret values that the field's kind does not read itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.answers.loose_json import Loose, Node
from harness.answers.normal import plain
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import lacking, read_whole
from harness.core.answer import Answer
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


def read_object(
    objects: Sequence[Node],
    name: str,
    reader: ValueReader,
    *,
    alone: bool,
    truncated: bool,
) -> Answer | None:
    """The answer for one field: the last object with its key, the outermost key first.

    `alone`: no other field is asked, so that `{"answer": ...}` is this field. None where no object
    has the key. A key that appears twice with different values is ambiguous.
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
                answer = _one(values, reader, cut=cut, truncated=truncated)
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
    values: Sequence[Loose], reader: ValueReader, *, cut: bool, truncated: bool
) -> Answer | None:
    open_node = any(isinstance(v, Node) and not v.closed for v in values)
    if (cut and not values) or open_node:
        outcome = Outcome.TRUNCATED if truncated else Outcome.UNPARSED
        return lacking(outcome, "json/truncated" if truncated else "json/incomplete")
    answers = [read_value(value, reader) for value in values]
    if not answers:
        return None
    if any((a.outcome, a.value) != (answers[0].outcome, answers[0].value) for a in answers):
        return lacking(Outcome.AMBIGUOUS, "json/repeated-key")
    return answers[-1]


def read_value(value: Loose, reader: ValueReader) -> Answer:
    """The answer that one JSON value gives."""
    if value is None:
        return lacking(Outcome.UNPARSED, "json/null")
    found = reader.json(value)
    if found is not None:
        return found
    if isinstance(value, Node):
        return _from_node(value, reader)
    if isinstance(value, bool):
        return lacking(Outcome.UNPARSED, "json/type")
    return read_text(value if isinstance(value, str) else repr(value), reader)


def read_text(text: str, reader: ValueReader) -> Answer:
    """The answer that the text of a JSON value gives, read as a reply would be."""
    reply = plain(text, truncated=False, speech=reader.speech)
    found = read_whole(reader.read(reply, "text"), reply)
    return Answer(found.outcome, found.value, f"json/{found.rule}")


def _from_node(node: Node, reader: ValueReader) -> Answer:
    if not node.is_object:
        if len(node.pairs) == 1:
            return read_value(node.pairs[0][1], reader)
        outcome = Outcome.AMBIGUOUS if node.pairs else Outcome.UNPARSED
        return lacking(outcome, "json/array")
    inner = [
        v for k, v in node.pairs if _plain_key(k) in _GENERIC or _plain_key(k) in ("name", "score")
    ]
    if len(inner) == 1 and not isinstance(inner[0], Node):
        return read_value(inner[0], reader)
    return lacking(Outcome.UNPARSED, "json/type")


def read_unnamed(node: Node, reader: ValueReader) -> Answer | None:
    """The names in an object without the key of its field: those of its only list (`{"aus": ["AU6"]}`), or those that it
    says are shown (`{"AU1": true, "AU2": false}`). None for another object, and for names that are not the field's."""
    for _ in range(_NEST):
        inner = node.pairs[0][1] if node.is_object and len(node.pairs) == 1 else None
        if not isinstance(inner, Node):
            break
        node = inner
    if not node.closed:
        return None
    keys = [("", key) for key, _ in node.pairs]
    if node.is_object and not (keys and _names(reader.json(Node(False, [*keys], closed=True)))):
        return None
    if members(node) is None:  # of shares, how much is enough is not known
        shares = node.is_object and any(isinstance(value, float) for _, value in node.pairs)
        return lacking(Outcome.UNPARSED, "json/type") if shares else None
    found = reader.json(node)
    return found if _names(found) else None


def _names(answer: Answer | None) -> bool:
    return answer is not None and isinstance(answer.value, tuple)


_MOST_INTENSE = 5
_SHOWN = frozenset(["yes", "true", "present", "active", "shown", "visible", "1"])
_NOT_SHOWN = frozenset(["no", "false", "absent", "inactive", "none", "not present", "not active", "not visible", "0"])  # fmt: skip


def _says(value: Loose) -> bool | None:
    """Whether a value says that something is shown, an intensity of FACS (0 to 5) among them; None for one that says neither."""
    if isinstance(value, int | float) and value in range(_MOST_INTENSE + 1):
        return value > 0
    word = str(value).strip().casefold() if isinstance(value, str) else ""
    return True if word in _SHOWN else False if word in _NOT_SHOWN else None


def members(node: Node) -> list[str] | None:
    """The names that a JSON list holds, or an object that says yes or no of each; None for another object.

    Of a list of objects those under name, label or au, else the only text that an object holds.
    """
    items: list[str] = []
    for key, value in node.pairs:
        if node.is_object:
            if (shown := _says(value)) is None:
                return None
            items += [key] if shown else []
        elif isinstance(value, Node):
            inner = [
                v for k, v in value.pairs if _plain_key(k) in ("name", "label", "au", "actionunit")
            ]
            texts = [v for _, v in value.pairs if isinstance(v, str)]
            if not inner and len(texts) != 1:
                return None
            items.append(str((inner or texts)[0]))
        elif value is not None:
            items.append(str(value))
    return items

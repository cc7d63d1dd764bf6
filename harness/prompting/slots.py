"""Placeholders for pictures while a template is rendered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import Undefined

from harness.core.message import Audio, Image, Part, Text, Video, Visual
from harness.prompting.controls import MARK, OPEN, guard, marked, suspicious
from harness.prompting.faults import PromptFault

MAX_SIZE = 1_000_000
"""Longest rendered conversation, and longest text of one expression, in characters."""

_TOKEN = re.compile("\x00([0-9a-f]{16}):([0-9]{1,6})\x00")


class Slot:
    """A picture as templates see it: printed, it puts the picture there."""

    __slots__ = ("_token", "index")

    def __init__(self, token: str, index: int) -> None:
        self._token = token
        self.index = index
        """Its number among the sample's pictures, from 1, as Jinja's `loop.index` counts."""

    def __str__(self) -> str:
        return self._token

    def __repr__(self) -> str:
        return f"picture {self.index}"


class PictureSlots:
    """The pictures of one rendering, behind tokens that text cannot forge.

    The nonce is drawn from the system's entropy, unseeded on purpose: a token that could be
    foretold could be forged. No nonce reaches a rendered conversation, so renderings stay equal.
    """

    __slots__ = ("_nonce", "_pictures")

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(8)
        self._pictures: list[Visual] = []

    def add(self, pictures: Sequence[Visual]) -> tuple[Slot, ...]:
        """Slots for `pictures`, in their order."""
        start = len(self._pictures)
        self._pictures.extend(pictures)
        return tuple(
            Slot(f"\x00{self._nonce}:{start + k}\x00", k + 1) for k in range(len(pictures))
        )

    def slotted(self, value: Any) -> Any:
        """`value` with every picture in its lists and mappings replaced by a slot."""
        if isinstance(value, Image | Video | Audio):
            return self.add([value])[0]
        if isinstance(value, Mapping):
            return {key: self.slotted(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return tuple(self.slotted(inner) for inner in value)
        return value

    def split(self, text: str) -> tuple[Part, ...]:
        """Text and pictures in order. Raises PromptFault where a filter broke a token."""
        pieces = _TOKEN.split(text)
        parts: list[Part] = []
        written = pieces[0]
        for k in range(1, len(pieces), 3):
            nonce, number, following = pieces[k : k + 3]
            if nonce == self._nonce:
                self._close(written, parts)
                parts.append(self._pictures[int(number)])
                written = following
            else:
                written += f"\ufffd{nonce}:{number}\ufffd{following}"
        self._close(written, parts)
        return tuple(parts)

    def _close(self, written: str, parts: list[Part]) -> None:
        if not written:
            return
        if self._nonce in written or self._nonce.upper() in written:
            raise PromptFault(
                "a filter changed the placeholder of a picture",
                hint="print pictures without filters: {{ image }}, or {{ frames | join('\n') }}",
            )
        parts.append(Text(written.replace("\x00", "\ufffd") if "\x00" in written else written))


def legible(text: str) -> str:
    """Text for a person to read: `[picture 1]` where a picture stands."""
    return _TOKEN.sub(lambda found: f"[picture {int(found[2]) + 1}]", text)


def printed(value: Any) -> Any:
    """What an expression prints: data text made harmless, pictures as their tokens.

    Raises PromptFault for None, for what is no text, for a whole list of pictures and for texts above MAX_SIZE.
    """
    kind = type(value)
    if kind is Slot:
        return str(value)
    if kind is int or kind is float or kind is bool:
        return value
    if value is None:
        raise PromptFault(
            "an expression prints None", hint="give the variable a value, or test `is none` first"
        )
    if kind is tuple and value and type(value[0]) is Slot:
        raise PromptFault(
            "a list of pictures is printed directly", hint="write {{ frames | join('\n') }}"
        )
    if not isinstance(value, Undefined) and (isinstance(value, Iterator) or callable(value)):
        raise PromptFault(
            f"an expression prints a {kind.__name__}, which is no text",
            hint="add `| join(', ')` or `| list` to what filters make; call macros with ()",
        )
    text = str(value)
    if len(text) > MAX_SIZE:
        raise PromptFault(
            f"an expression prints {len(text):,} characters, over the limit of {MAX_SIZE:,}",
            hint="print less",
        )
    if not suspicious(text):
        return MARK + text if text[:1].isspace() else text
    return _guarded(text)


def _guarded(text: str) -> str:
    """`text` made harmless around the tokens of pictures, whose form is known."""
    if "\x00" not in text:
        return marked(guard(text.replace(MARK, "")))
    pieces = _TOKEN.split(text.replace(MARK, "").replace(OPEN, ""))
    out = [guard(pieces[0])]
    for k in range(1, len(pieces), 3):
        nonce, number, following = pieces[k : k + 3]
        out.append(f"\x00{nonce}:{number}\x00{guard(following)}")
    return marked("".join(out))

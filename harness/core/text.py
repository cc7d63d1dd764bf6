"""Stable JSON, hashes, and safe printing of untrusted text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from harness.core.errors import HarnessError

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: object) -> str:
    """One spelling for one value: sorted keys, no spaces. Raises TypeError on anything not plain JSON."""
    return _CANONICAL.encode(value)


def digest_json(value: object) -> str:
    """Hex SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def digest_bytes(*parts: bytes) -> str:
    """Hex SHA-256 of several byte strings in order, each with its length before it."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def digest_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """`text` with control, direction and other unseen characters spelled out, such as ⟨U+202E⟩."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 sample`, `2,310 samples`; the plural is the noun with an s unless it is given."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


_MARKED = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|#&~!"})


def markdown_escaped(text: str) -> str:
    """A text in which nothing is markup of Markdown, on one line."""
    return " ".join(visible(text).split()).translate(_MARKED)


def sentence(text: str, *, names: Iterable[str] = ()) -> str:
    """`text` with a capital first letter, unless it begins with one of `names`, which keep their spelling."""
    if any(name and text.startswith(name) for name in names):
        return text
    return f"{text[:1].upper()}{text[1:]}"


def with_article(noun: str) -> str:
    """`a number`, `an age`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def read_small(path: Path, *, most: int, what: str) -> str:
    """The text of a file of at most `most` bytes, UTF-8, with a byte order mark or without.

    `what` names it in errors: `a task file`. Raises HarnessError: not there, no ordinary file, too large, not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():
            raise HarnessError(f"{path} is not a file", hint=f"name {what}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise HarnessError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise HarnessError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}",
            hint="check its permissions",
        ) from None
    if len(data) > most:
        raise HarnessError(
            f"{path} is over {most >> 10} KiB", hint=f"{what} is a short text; name another file"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HarnessError(
            f"{path}:{line}: not UTF-8: {error.reason}", hint="save it as UTF-8"
        ) from None

"""What prompts about one picture will share, before they are asked: tokens that are read once for several of them.

Only what stands before a picture, and the picture, can be shared: by a model that runs in place, and by the cache of
beginnings that servers keep. Counted are first steps of some samples.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.core.message import Image, Text, Video
from harness.core.model import Measured
from harness.core.request import Request
from harness.models.transformers.beginnings import read_once

BLOCK = 16
"""Tokens of a block, by which vLLM keeps beginnings where it is not set otherwise."""
_CACHED = "in the server's cache already when they are asked, if it is large enough and on"
HINT = "put these words behind the picture, into the user turn"


@dataclass(frozen=True, slots=True)
class _Looked:
    cell: str
    prompt: str
    pictures: str
    beginning: str
    measured: Measured | None
    key: tuple[str, str]
    """Equal requests have one reply, which takes nothing to share."""


@dataclass(slots=True)
class SharedPrompts:
    """The prompts of one model, sample after sample."""

    repeats: int = 1
    block: int | None = None
    """Of a server, the tokens of a block: its cache keeps the beginnings of all prompts in whole blocks. None: a model in
    place, which keeps that of one picture."""
    _found: dict[str, list[_Looked]] = field(default_factory=dict)

    def add(
        self, cell: str, prompt: str, sample: str, request: Request, measured: Measured | None,
        *, channel: str = "",
    ) -> None:  # fmt: skip
        """Note the first request of a cell about a sample; `prompt` is how it is called. `request` does not say yet what
        the channel adds."""
        begins = _begins(request)
        if begins is not None:
            self._found.setdefault(sample, []).append(
                _Looked(cell, prompt, *begins, measured, (request.key, channel))
            )

    @property
    def tokens(self) -> tuple[int, int]:
        """Prompt tokens of what was looked at, repeats included and equal requests once, and those among them that are
        read for an earlier prompt."""
        return self._in_place() if self.block is None else self._in_blocks(self.block)

    def _in_blocks(self, block: int) -> tuple[int, int]:
        """By a cache that is large enough. A prompt's last token is always read, since its reply follows from it."""
        whole = spared = 0
        kept: set[bytes] = set()
        asked: set[tuple[str, str]] = set()
        for one in (one for looked in self._found.values() for one in looked):
            if one.measured is None or one.key in asked:
                continue
            asked.add(one.key)
            most = (one.measured.tokens - 1) // block
            chain = _blocks(one, block)
            found = next((n for n, digest in enumerate(chain) if digest not in kept), len(chain))
            kept.update(chain)
            whole += one.measured.tokens * self.repeats
            spared += block * (min(found, most) + (self.repeats - 1) * min(len(chain), most))
        return whole, spared

    def _in_place(self) -> tuple[int, int]:
        whole = spared = 0
        asked: set[tuple[str, str]] = set()
        for alike in self._groups():
            new = {one.key: one for one in alike if one.key not in asked}
            asked |= new.keys()
            read = [one.measured for one in new.values() for _ in range(self.repeats)]
            known = [one for one in read if one is not None and one.ids and one.mark]
            whole += sum(one.tokens for one in read if one is not None)
            if len(known) > 1:
                cut = read_once([one.ids for one in known], mark=known[0].mark)
                width = known[0].tokens - (len(known[0].ids) - cut)
                spared += (len(known) - 1) * width
        return whole, spared

    @property
    def share(self) -> float | None:
        """Of the prompt tokens; None where they cannot be counted."""
        whole, spared = self.tokens
        return spared / whole if whole else None

    @property
    def alone(self) -> tuple[str, ...]:
        """Prompts whose words before the picture are those of no other prompt of the same picture."""
        found: Counter[str] = Counter()
        shown: Counter[str] = Counter()
        for looked in self._found.values():
            begins = Counter((one.pictures, one.beginning) for one in looked)
            pictures = Counter(one.pictures for one in looked)
            for one in looked:
                if pictures[one.pictures] > 1:
                    shown[one.prompt] += 1
                    found[one.prompt] += begins[one.pictures, one.beginning] == 1
        return tuple(name for name, count in shown.items() if found[name] == count)

    @property
    def picture_tokens(self) -> int:
        """The most tokens that the pictures of one request become; 0 where that is not known."""
        read = [one.measured for looked in self._found.values() for one in looked]
        return max((m.tokens - len(m.ids) + 1 for m in read if m is not None and m.mark), default=0)

    def row(self, model: str) -> dict[str, Any]:
        """As plain JSON."""
        whole, spared = self.tokens
        share = self.share
        return {
            "model": model, "samples": len(self._found), "prompt_tokens": whole, "shared_tokens": spared,
            "share": None if share is None else round(share, 4), "alone": list(self.alone),
        }  # fmt: skip

    def lines(self, model: str) -> Iterator[str]:
        """What a plan says of it; `model` is the name that is shown."""
        if self.share:
            whole, spared = self.tokens
            how = "read once for several prompts of a picture" if self.block is None else _CACHED
            yield (
                f"{model}: {self.share:.1%} of prompt tokens are {how} (predicted from {len(self._found)} samples: {spared:,} of "
                f"{whole:,})"
            )
        if self.alone:
            yield (
                f"{model}: no other prompt of the same picture begins with the words before the picture in "
                f"{', '.join(self.alone)}, so these tokens cannot be shared; {HINT}"
            )

    def _groups(self) -> Iterator[list[_Looked]]:
        for looked in self._found.values():
            groups: dict[tuple[str, str], list[_Looked]] = {}
            for one in looked:
                groups.setdefault((one.pictures, one.beginning), []).append(one)
            yield from groups.values()


def _begins(request: Request) -> tuple[str, str] | None:
    """Digests of the pictures and of all up to the last of them; None where there are none, or videos."""
    parts = [(turn.role, part) for turn in request.messages for part in turn.parts]
    last = max((nth for nth, (_, p) in enumerate(parts) if isinstance(p, Image)), default=-1)
    if last < 0 or any(isinstance(part, Video) for _, part in parts):
        return None
    pictures = [part.digest for _, part in parts if isinstance(part, Image)]
    words = [
        f"{role}\x1f{part.text if isinstance(part, Text) else part.digest}"
        for role, part in parts[: last + 1]
    ]
    return _digest(pictures), _digest(words)


def _blocks(one: _Looked, block: int) -> list[bytes]:
    """Digests of a prompt's whole blocks of tokens, each with all before it. Where a prompt has several pictures, they
    are taken to be of one size."""
    measured = one.measured
    if measured is None or not measured.ids or not measured.mark:
        return []
    place = measured.ids[measured.mark - 1]
    count = measured.ids.count(place)
    each, more = divmod(measured.tokens - len(measured.ids) + count, count)
    tokens: list[str] = []
    seen = 0
    for token in measured.ids:
        if token != place:
            tokens.append(str(token))
            continue
        tokens += [f"{one.pictures} {seen} {n}" for n in range(each + (seen == 0) * more)]
        seen += 1
    digests, before = [], b""
    for at in range(0, len(tokens) - block + 1, block):
        words = " ".join(tokens[at : at + block]).encode()
        before = hashlib.sha256(before + words).digest()
        digests.append(before)
    return digests


def _digest(words: list[str]) -> str:
    return hashlib.sha256("\x1e".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]

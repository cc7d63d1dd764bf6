"""The append-only journal: one line a reply, one line a trial, written when it is finished.

Guarantees: a line is written whole or not at all, is never rewritten, and reaches the kernel before the
trial counts as finished, so that `kill -9` loses only what was in flight. Lines are forced to the disk at
least once in `SYNC_SECONDS` of writing; a power cut may cost that much. A failed request is not kept as a
reply, so the next start asks again.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.generation import Failure, Generation, LabelScores, Usage
from harness.core.message import Message, Text, Video
from harness.run.digests import KEY, Digests, digest
from harness.run.folder import RunFolder, write_error

_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

SYNC_SECONDS = 2.0
_OFFSET = struct.Struct("<q")
_BASIS = 8
"""Characters of a basis."""
_FAILED = bytes(_BASIS + KEY)
NAMES_HELD = 256
"""Conversations whose names are not worked out anew for each reply."""


class AppendLog:
    """A JSON-lines file that only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self.size = _cut_torn_line(self._fd)
        except OSError as error:
            raise write_error(path, error) from None
        self._synced = time.monotonic()

    def append(self, record: Any) -> int:
        """Write one line; returns the offset at which it starts. Raises HarnessError when it cannot."""
        line = _LINE.encode(record).encode("utf-8", "surrogatepass")
        start = self.size
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            now = time.monotonic()
            if now - self._synced > SYNC_SECONDS:
                os.fsync(self._fd)
                self._synced = now
        except OSError as error:
            os.ftruncate(self._fd, start)  # shrinking needs no space
            raise write_error(self.path, error) from None
        self.size = start + len(line) + 1
        return start

    def line_at(self, offset: int) -> Any:
        """The record whose line starts at `offset`."""
        return _line_at(self._fd, offset)

    def close(self) -> None:
        """Force what was written to the disk."""
        os.fsync(self._fd)
        os.close(self._fd)


class LineReader:
    """Single lines of a log by their offset; writes nothing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def line_at(self, offset: int) -> Any:
        """The record whose line starts at `offset`."""
        return _line_at(self._file.fileno(), offset)

    def close(self) -> None:
        self._file.close()


def _line_at(fd: int, offset: int) -> Any:
    block = b""
    while b"\n" not in block:
        more = os.pread(fd, 16384, offset + len(block))
        if not more:
            break
        block += more
    return json.loads(block.partition(b"\n")[0].decode("utf-8", "surrogatepass"))


def _cut_torn_line(fd: int) -> int:
    """Drop a last line without its end, left by a kill or a power cut; returns the size."""
    size = os.fstat(fd).st_size
    end = size
    while end:
        start = max(0, end - 65536)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(fd, end)
    return end


def read_log(path: Path) -> Iterator[tuple[int, Any]]:
    """(offset, record) of each whole line; a torn last line is passed over.

    Raises HarnessError naming file and line of anything else that is not JSON.
    """
    if not path.exists():
        return
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line.decode("utf-8", "surrogatepass"))
            except ValueError:
                raise HarnessError(
                    f"{path}:{number}: not a JSON line",
                    hint="delete that line; its request will be made again",
                ) from None
            yield offset, record
            offset += len(line)


class Journal:
    """The three logs of a run, and which keys they already hold."""

    def __init__(self, folder: RunFolder) -> None:
        self._generations = AppendLog(folder.generations)
        self._trials = AppendLog(folder.trials)
        self._conversations = AppendLog(folder.conversations)
        self._known = Digests(_OFFSET.size)
        """Key -> where its reply stands."""
        for offset, record in read_log(folder.generations):
            self._known.put(_short(record["key"]), _OFFSET.pack(offset))
        self._said = Digests(0)
        """Names of the conversations that are kept."""
        for _, record in read_log(folder.conversations):
            self._said.put(digest(record["id"]), b"")
        self._names: dict[tuple[tuple[str | bool, ...], ...], str] = {}
        """Conversation, False for a picture and True for a video -> its name."""
        self._finished = Digests(_BASIS + KEY)
        """Trial -> its basis and a digest of its keys; zeros where it failed. A million take 50 MB."""
        for _, record in read_log(folder.trials):
            failed = "failure" in record  # the last line of a trial counts
            state = _FAILED if failed else _state(record["basis"], record["keys"])
            self._finished.put(digest(record["trial"]), state)

    def __len__(self) -> int:
        """Number of replies held."""
        return len(self._known)

    def reply(self, key: str) -> Generation | None:
        """The reply to `key`, if it is held."""
        offset = self._known.get(_short(key))
        if offset is None:
            return None
        return generation_from(self._generations.line_at(_OFFSET.unpack(offset)[0]))

    def finished(self, trial: str, basis: str) -> bool:
        """Whether a trial was finished on this basis (prompt, model, sampling)."""
        state = self._finished.get(digest(trial))
        return state is not None and state[:_BASIS] == _basis(basis)

    def add_reply(self, generation: Generation, messages: Sequence[Message]) -> None:
        """Keep a reply and, once, the conversation that led to it. Not for failures."""
        record = {
            "key": generation.key,
            "conversation": self._conversation(messages),
            "text": generation.text,
            "finish": generation.finish,
            "usage": [generation.usage.prompt_tokens, generation.usage.completion_tokens],
            "latency": round(generation.latency, 4),
        }
        if generation.scores is not None:
            record["scores"] = asdict(generation.scores)
        offset = self._generations.append(record)
        self._known.put(_short(generation.key), _OFFSET.pack(offset))

    def _conversation(self, messages: Sequence[Message]) -> str:
        """The name of a conversation, which is kept where it is new. Most samples of a cell share theirs."""
        shape = tuple(
            (m.role, *(p.text if isinstance(p, Text) else isinstance(p, Video) for p in m.parts))
            for m in messages
        )
        name = self._names.get(shape)
        if name is not None:
            return name
        turns = conversation_turns(messages)
        body = json.dumps(turns, ensure_ascii=False).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(body).hexdigest()[:16]
        if self._said.get(digest(name)) is None:
            self._conversations.append({"id": name, "turns": turns})
            self._said.put(digest(name), b"")
        if len(self._names) < NAMES_HELD:
            self._names[shape] = name
        return name

    def add_trial(
        self,
        trial: str,
        basis: str,
        keys: Sequence[str],
        failure: Failure | None = None,
        *,
        rules: Sequence[str] = (),
        shown: Mapping[str, Sequence[int | str]] | None = None,
    ) -> None:
        """Keep what became of a trial; a line that would repeat the last one is not written.

        `rules` names the fallbacks that fired (`harness.run.fallback`); `shown` says which frames of
        a clip were shown, and by what rules.
        """
        name = digest(trial)
        state = _FAILED if failure is not None else _state(basis, keys)
        if failure is None and self._finished.get(name) == state:
            return
        self._finished.put(name, state)
        record: dict[str, Any] = {"trial": trial, "basis": basis, "keys": list(keys)}
        if rules:
            record["rules"] = list(rules)
        if shown is not None:
            record["shown"] = {name: list(values) for name, values in shown.items()}
        if failure is not None:
            record["failure"] = {"kind": failure.kind, "detail": failure.detail}
        self._trials.append(record)

    def close(self) -> None:
        for log in (self._generations, self._trials, self._conversations):
            log.close()


def _short(key: str) -> bytes:
    return bytes.fromhex(key)[:KEY]


def _basis(basis: str) -> bytes:
    return basis.encode()[:_BASIS].ljust(_BASIS, b"-")


def _state(basis: str, keys: Sequence[str]) -> bytes:
    return _basis(basis) + digest(" ".join(keys))


def conversation_turns(messages: Sequence[Message]) -> list[list[str]]:
    """[role, text] of each turn, its pictures and videos written `[image 1]`, `[video 2]`... in order."""
    turns = []
    number = 0
    for message in messages:
        text = []
        for part in message.parts:
            if isinstance(part, Text):
                text.append(part.text)
            else:
                number += 1
                text.append(f"[{'video' if isinstance(part, Video) else 'image'} {number}]")
        turns.append([message.role, "".join(text)])
    return turns


def generation_from(record: Any) -> Generation:
    """A Generation from its journal line."""
    return Generation(
        key=record["key"],
        text=record["text"],
        finish=record["finish"],
        usage=Usage(*record["usage"]),
        latency=record["latency"],
        scores=_scores_from(record.get("scores")),
    )


def _scores_from(record: Any) -> LabelScores | None:
    if record is None:
        return None
    return LabelScores(
        labels=tuple(record["labels"]),
        logprobs=tuple(record["logprobs"]),
        tokens=tuple(record["tokens"]),
        estimator=record["estimator"],
    )

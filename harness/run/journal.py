"""The append-only journal: one line per reply and one line per finished trial.

Guarantees: a line is written whole or not at all, is never rewritten, and reaches the kernel before the
trial counts as finished, so that `kill -9` loses only what was in flight. Lines are forced to the disk at
least once in `SYNC_SECONDS` of writing; a power cut may cost that much. A failed request is not kept as a
reply, so the next start asks again.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from harness.core.generation import Failure, Generation, LabelScores, Refusal, Usage
from harness.core.loop import LoopRecord
from harness.core.message import Message, Text, ToolCall, medium_word
from harness.core.tool import Called
from harness.run.digests import KEY, digest, short_key
from harness.run.finished import FinishedTrials, trial_name
from harness.run.folder import RunFolder
from harness.run.indexed_log import IndexedLog
from harness.run.log import AHEAD, AppendLog, read_lines, read_log
from harness.run.log_index import LogIndex
from harness.run.stamps import Stamps

_OFFSET = struct.Struct("<q")
_TURNS = json.JSONEncoder(ensure_ascii=False)
NAMES_HELD = 256
"""Conversations whose names are not worked out anew for each reply."""


class KeepsReplies(Protocol):
    """Where replies and what became of trials are kept while models are asked: `Journal`, or what is asked anew."""

    def reply(self, key: str, messages: Sequence[Message] = ()) -> Generation | None: ...

    def add_reply(
        self, generation: Generation, messages: Sequence[Message], *, model: str = ""
    ) -> None: ...

    def add_trial(
        self,
        trial: str,
        basis: str,
        keys: Sequence[str],
        failure: Failure | None = None,
        *,
        also: Sequence[str] = (),
        rules: Sequence[str] = (),
        shown: Mapping[str, Sequence[int | str]] | None = None,
        text: str | None = None,
        votes: Sequence[int] = (),
        calls: Sequence[Called] = (),
        tool_seconds: float = 0.0,
    ) -> None: ...


class Journal:
    """The three logs of a run, and which keys they already hold."""

    def __init__(self, folder: RunFolder, *, finished: FinishedTrials | None = None) -> None:
        """`finished` is what the log of trials holds, where it was read already."""
        self.folder = folder
        self._generations = AppendLog(folder.generations)
        self._trials = AppendLog(folder.trials)
        self._conversations = AppendLog(folder.conversations)
        index = LogIndex(folder.generations, KEY + _OFFSET.size)
        self._known = IndexedLog(
            index,
            lambda record, start: (short_key(record["key"]), _OFFSET.pack(start), ""),
        )
        """Key -> where its reply stands."""
        told = LogIndex(folder.conversations, KEY)
        self._said = IndexedLog(
            told,
            lambda record, start: (digest(record["id"]), b"", ""),
        )
        """Names of the conversations that are kept."""
        self._names: dict[tuple[tuple[str | tuple[str], ...], ...], str] = {}
        """Conversation, what is no text as a tuple of its word -> its name."""
        self._finished = finished or FinishedTrials(folder.trials)
        for table in (self._known, self._said, self._finished):
            table.keep()
        # A trial whose stamp holds is not looked up: that its replies are there must be known otherwise.
        lost = self._without_replies(whole=index.known_whole, added=index.added > 0)
        self._unsaid = self._without_conversations(whole=told.known_whole)
        """Whether a conversation that led to a reply is gone: all trials are rendered, and what is lacking is kept again."""
        self.stamps = Stamps(folder.stamps, self._finished, without=lost, empty=self._unsaid)

    def __len__(self) -> int:
        """Number of replies held."""
        return len(self._known)

    def _without_replies(self, *, whole: bool, added: bool) -> bytes:
        """The names of finished trials that lack a reply, KEY bytes each.

        Nothing is read where the index told of all replies. Where lines came behind it, a power cut may have left the last
        trials without theirs; where it does not tell whether replies are gone, every trial is looked at.
        """
        if whole and not added:
            return b""
        trials = self.folder.trials
        start = max(0, trials.stat().st_size - AHEAD) if whole else 0
        if start:
            with trials.open("rb") as file:
                file.seek(start)
                start += len(file.readline())  # the rest of a line
        return b"".join(
            trial_name(record["trial"], record["basis"])
            for _, _, record in read_lines(trials, start=start)
            if "failure" not in record
            and any(self._known.get(short_key(key)) is None for key in record["keys"])
        )

    def _without_conversations(self, *, whole: bool) -> bool:
        """Whether a reply names a conversation that is not there. Nothing is read where the index told of all."""
        if not len(self._known) or (whole and len(self._said)):
            return False
        return any(
            self._said.get(digest(record["conversation"])) is None
            for _, record in read_log(self.folder.generations)
        )

    def reply(self, key: str, messages: Sequence[Message] = ()) -> Generation | None:
        """The reply to `key`, if it is held. The conversation that led to it, `messages`, is kept again where some of them
        are gone."""
        offset = self._known.get(short_key(key))
        if offset is None:
            return None
        if self._unsaid and messages:
            self._conversation(messages)
        return generation_from(self._generations.line_at(_OFFSET.unpack(offset)[0]))

    def finished(self, trial: str, *bases: str) -> bool:
        """Whether a trial was finished on one of these bases (prompt, model, sampling)."""
        return self._finished.finished(trial, bases)

    def add_reply(
        self,
        generation: Generation,
        messages: Sequence[Message],
        *,
        reused: str = "",
        model: str = "",
    ) -> None:
        """Keep a reply and, once, the conversation that led to it. Not for failures.

        `reused` is the run folder that the reply was taken from; empty where the model gave it now. `model` is the name of
        the model that gave it, where that is not the model of the cell.
        """
        record = {
            "key": generation.key,
            "conversation": self._conversation(messages),
            **reply_record(generation),
        }
        if reused:
            record["reused"] = reused
        if model:
            record["model"] = model
        offset = self._generations.append(record)
        self._known.put(short_key(generation.key), _OFFSET.pack(offset), end=self._generations.size)

    def _conversation(self, messages: Sequence[Message]) -> str:
        """The name of a conversation, which is kept where it is new. Most samples of a cell share theirs."""
        shape = tuple(
            (
                m.role,
                *(p.text if isinstance(p, Text) else (medium_word(p),) for p in m.parts),
                m.written_calls,
            )
            for m in messages
        )
        name = self._names.get(shape)
        if name is not None:
            return name
        turns = conversation_turns(messages)
        body = _TURNS.encode(turns).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(body).hexdigest()[:16]
        if self._said.get(digest(name)) is None:
            self._conversations.append({"id": name, "turns": turns})
            self._said.put(digest(name), b"", end=self._conversations.size)
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
        also: Sequence[str] = (),
        rules: Sequence[str] = (),
        shown: Mapping[str, Sequence[int | str]] | None = None,
        text: str | None = None,
        votes: Sequence[int] = (),
        calls: Sequence[Called] = (),
        tool_seconds: float = 0.0,
    ) -> None:
        """Keep what became of a trial; a line that would repeat the last one on its basis is not written.

        `also` are earlier spellings of the basis (`harness.run.basis.accepted`): what was finished on them is.
        `rules` names the fallbacks that fired (`harness.run.fallback`); `shown` says which frames of
        a clip were shown, and by what rules; `text` is what is read, where that is not the last reply; `votes` are
        those of the protocol's `Done`, as `calls` are; `tool_seconds` is how long tools worked.
        """
        if failure is None and self._finished.holds(
            trial, (basis, *also), keys, text=text, votes=votes
        ):
            return
        failed = failure is not None
        self._trials.append(
            trial_record(
                trial, basis, keys, failure, rules=rules, shown=shown, text=text, votes=votes, calls=calls,
                tool_seconds=tool_seconds,
            )
        )  # fmt: skip
        self._finished.put(
            trial, basis, keys, failed=failed, text=text, votes=votes, end=self._trials.size
        )

    def close(self) -> None:
        for index in (self._known, self._said, self._finished, self.stamps):
            index.close()
        for log in (self._generations, self._trials, self._conversations):
            log.close()


def conversation_turns(messages: Sequence[Message]) -> list[list[str]]:
    """[role, text] of each turn, what is no text written `[image 1]`, `[video 2]`, `[sound 3]`... in order, and calls that a
    server is given beside the text as `<tool_call>{...}</tool_call>`."""
    turns = []
    number = 0
    for message in messages:
        text = []
        for part in message.parts:
            if isinstance(part, Text):
                text.append(part.text)
            else:
                number += 1
                text.append(f"[{medium_word(part)} {number}]")
        turns.append([message.role, "".join(text) + message.written_calls])
    return turns


def trial_record(
    trial: str,
    basis: str,
    keys: Sequence[str],
    failure: Failure | None,
    *,
    rules: Sequence[str] = (),
    shown: Mapping[str, Sequence[int | str]] | None = None,
    text: str | None = None,
    votes: Sequence[int] = (),
    calls: Sequence[Called] = (),
    tool_seconds: float = 0.0,
) -> dict[str, Any]:
    """What a journal line says of a trial; what is absent takes no room."""
    record: dict[str, Any] = {"trial": trial, "basis": basis, "keys": list(keys)}
    if rules:
        record["rules"] = list(rules)
    if text is not None:
        record["text"] = text
    if votes:
        record["votes"] = list(votes)
    if calls:
        record["calls"] = [call.to_json() for call in calls]
    if tool_seconds:
        record["tool_seconds"] = round(tool_seconds, 4)
    if shown is not None:
        record["shown"] = {name: list(values) for name, values in shown.items()}
    if failure is not None:
        record["failure"] = {"kind": failure.kind, "detail": failure.detail}
    return record


def reply_record(generation: Generation) -> dict[str, Any]:
    """What a journal line says of a reply; what is absent takes no room."""
    usage = generation.usage
    record: dict[str, Any] = {
        "text": generation.text,
        "finish": generation.finish,
        "usage": [usage.prompt_tokens, usage.completion_tokens],
        "latency": round(generation.latency, 4),
    }
    apart = [usage.reasoning_tokens, usage.picture_tokens, usage.shared_tokens, usage.encoded]
    while apart and not apart[-1]:
        apart.pop()
    record["usage"] += apart
    for name in _OPTIONAL:
        if value := getattr(generation, name):
            record[name] = value
    if generation.calls:
        record["calls"] = [[call.name, call.arguments] for call in generation.calls]
    if generation.loop is not None:
        record["loop"] = generation.loop.to_json()
    if generation.refusal is not None:
        record["refusal"] = asdict(generation.refusal)
    if generation.scores is not None:
        record["scores"] = asdict(generation.scores)
    return record


_OPTIONAL = ("reasoning", "thought", "word", "served", "fingerprint")


def generation_from(record: Any) -> Generation:
    """A Generation from its journal line."""
    return Generation(
        key=record["key"],
        text=record["text"],
        finish=record["finish"],
        usage=Usage(*record["usage"]),
        latency=record["latency"],
        scores=_scores_from(record.get("scores")),
        refusal=Refusal(**record["refusal"]) if "refusal" in record else None,
        loop=LoopRecord.from_json(record["loop"]) if "loop" in record else None,
        calls=tuple(ToolCall(*one) for one in record.get("calls", ())),
        **{name: record[name] for name in _OPTIONAL if name in record},
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

"""Usage of a run's replies: tokens, pictures, seconds, and cost if the model has a price.

Counted is what the journal holds, each reply once: votes, repeats, the steps of a conversation, replies of earlier
versions. A reply that serves several trials counts for the one that was finished first and is `shared` by the others.
Requests that failed, and those by which a server is tried at the start, are not in the journal and not counted.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.cell import FREE, spelled_channel
from harness.core.price import Price
from harness.core.prompt_family import CHAT, NO_PROMPT
from harness.run.basis import accepted
from harness.run.digests import Digests, digest
from harness.run.folder import RunFolder
from harness.run.log import read_log

USAGE = "usage"
"""The key of its rows in extras.json."""

_REPLY = struct.Struct("<IIIIIHfHH???")
"""Tokens of prompt, completion, reasoning, pictures and what was shared, pictures encoded, seconds, pictures, videos, told by
whom it was asked, refused, by a second model."""
_MARK = re.compile(r"\[(image|video) ([0-9]+)\]")
_MOST = 0xFFFF


@dataclass(slots=True)
class Used:
    """A sum over replies."""

    replies: int = 0
    uncounted: int = 0
    """Replies of which the server told no tokens."""
    refused: int = 0
    """Those among them that a platform refused, which have no tokens."""
    second: int = 0
    """Replies of a second model among them, whose price is not known."""
    shared: int = 0
    """Replies that another trial, of this cell or another, had asked for already; of the other numbers only in those
    that are called `again`."""
    prompt_again: int = 0
    """Tokens of the prompts of shared replies."""
    completion_again: int = 0
    pictures_again: int = 0
    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    """Of the completion."""
    picture_tokens: int = 0
    """Of the prompt."""
    shared_tokens: int = 0
    """Of the prompt: read for an earlier one, and not again."""
    encoded: int = 0
    """Pictures that went through the vision model, where a model tells."""
    pictures: int = 0
    videos: int = 0
    tool_seconds: float = 0.0
    """How long tools worked, in all trials."""
    seconds: array[float] = field(default_factory=lambda: array("f"))
    """From asking to the last byte, of each reply."""

    def add(self, reply: bytes) -> None:
        """Count one reply in, as `_REPLY` has it."""
        (
            prompt, completion, reasoning, seen, common, encoded, seconds, pictures, videos, _, refused, second
        ) = _REPLY.unpack(reply)  # fmt: skip
        self.replies += 1
        self.second += second
        self.uncounted += not prompt
        self.refused += refused and not prompt
        self.prompt += prompt
        self.completion += completion
        self.reasoning += reasoning
        self.picture_tokens += seen
        self.shared_tokens += common
        self.encoded += encoded
        self.pictures += pictures
        self.videos += videos
        self.seconds.append(seconds)

    def add_shared(self, reply: bytes) -> None:
        """Count one reply in that is counted elsewhere."""
        prompt, completion, _, _, _, _, _, pictures, *_ = _REPLY.unpack(reply)
        self.shared += 1
        self.prompt_again += prompt
        self.completion_again += completion
        self.pictures_again += pictures

    def count(self, line: Mapping[str, Any], *, pictures: int) -> None:
        """Count one reply in, by its line in a log."""
        self.add(_packed(line, pictures, 0))

    @property
    def told(self) -> bool:
        """Whether anything is known of its replies: answers made elsewhere have neither tokens nor time."""
        return bool(self.prompt or self.completion or self.refused or any(self.seconds))

    def cost(self, price: Price) -> float:
        """In the currency of the price."""
        return price.of(
            prompt=self.prompt, completion=self.completion, reasoning=self.reasoning, pictures=self.pictures
        )  # fmt: skip

    def row(self) -> dict[str, Any]:
        """As plain JSON, with the median and the 95% quantile of the seconds."""
        import numpy as np

        times = np.quantile(np.asarray(self.seconds), [0.5, 0.95]) if self.seconds else (0.0, 0.0)
        found: dict[str, Any] = {
            "replies": self.replies,
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "reasoning_tokens": self.reasoning,
            **({"picture_tokens": self.picture_tokens} if self.picture_tokens else {}),
            **({"shared_tokens": self.shared_tokens} if self.shared_tokens else {}),
            **({"encoded": self.encoded} if self.encoded else {}),
            "pictures": self.pictures,
            "videos": self.videos,
            "uncounted": self.uncounted - self.refused,
            "refused_uncounted": self.refused,
            "shared": self.shared,
            **(
                {
                    "prompt_tokens_again": self.prompt_again,
                    "completion_tokens_again": self.completion_again,
                    "pictures_again": self.pictures_again,
                }
                if self.shared
                else {}
            ),
            **({"second_replies": self.second} if self.second else {}),
            **({"tool_seconds": round(self.tool_seconds, 3)} if self.tool_seconds else {}),
            "seconds_median": round(float(times[0]), 4),
            "seconds_95": round(float(times[1]), 4),
        }
        return found


class UsageReader:
    """Counts what replies took while the logs of a run are read: every line of generations.jsonl, then every line of
    trials.jsonl. A million replies take 50 MB."""

    def __init__(
        self, folder: RunFolder, manifest: Mapping[str, Any], *, taken: bool = True
    ) -> None:
        """`taken`: replies of other folders (`harness.run.reuse`) are counted too."""
        self._taken = taken
        self._shown = {r["id"]: _pictures(r) for _, r in read_log(folder.conversations)}
        self._replies = Digests(_REPLY.size)
        """Key -> what its reply took."""
        self._found: dict[tuple[str, str] | None, Used] = {}
        self._owners: dict[tuple[str, str], Used] = {}
        """(cell id, basis) -> the sum that its trials count for."""
        for entry in manifest["cells"]:
            used = self._found.setdefault((entry["id"], entry["prompt"]), Used())
            self._owners |= dict.fromkeys(((entry["id"], basis) for basis in accepted(entry)), used)

    def reply(self, line: Mapping[str, Any]) -> None:
        """Take note of a line of generations.jsonl."""
        if self._taken or not line.get("reused"):
            shown = self._shown.get(line["conversation"], (0, 0))
            self._replies.put(digest(line["key"]), _packed(line, *shown))

    def trial(self, line: Mapping[str, Any]) -> None:
        """Count the replies of a line of trials.jsonl for the cell that comes first for each."""
        used = self._owners.get((line["trial"].partition("/")[0], line["basis"]))
        if used is not None:
            used.tool_seconds += line.get("tool_seconds", 0.0)
            for key in dict.fromkeys(line["keys"]):
                _claim(self._replies, digest(key), used)

    def found(self) -> dict[tuple[str, str] | None, Used]:
        """(cell id, name of its prompt) -> what its replies took; None -> replies of no cell that the manifest holds,
        such as the first steps of conversations that were interrupted."""
        left = Used()
        for held in self._replies.values():
            if not held[_CLAIMED]:
                left.add(held)
        return {**self._found, **({None: left} if left.replies else {})}


def read_usage(
    folder: RunFolder, manifest: Mapping[str, Any], *, taken: bool = True
) -> dict[tuple[str, str] | None, Used]:
    """What the replies of a folder took, as `UsageReader.found` has it, which `taken` is for."""
    reader = UsageReader(folder, manifest, taken=taken)
    for _, line in read_log(folder.generations):
        reader.reply(line)
    for _, line in read_log(folder.trials):
        reader.trial(line)
    return reader.found()


def _claim(replies: Digests, key: bytes, used: Used) -> None:
    """Count a reply for who first comes for it."""
    held = replies.get(key)
    if held is None:
        return
    if held[_CLAIMED]:
        used.add_shared(held)
        return
    used.add(held)
    replies.put(key, held[:_CLAIMED] + b"\x01" + held[_CLAIMED + 1 :])


_CLAIMED = _REPLY.size - 3


def _packed(line: Mapping[str, Any], pictures: int, videos: int) -> bytes:
    """What a reply took, by its line in a log, as `_REPLY` has it."""
    prompt, completion, *rest = line["usage"]
    refused = line.get("refusal", {}).get("by") == "platform"
    return _REPLY.pack(
        prompt, completion, *(*rest, 0, 0, 0)[:3], min(rest[3] if len(rest) > 3 else 0, _MOST),
        line["latency"], pictures, videos, False, refused, "model" in line,
    )  # fmt: skip


def _pictures(conversation: Mapping[str, Any]) -> tuple[int, int]:
    """Pictures and videos of a conversation. Words of a text that look like one have another number, mostly."""
    counted = {"image": 0, "video": 0}
    for _, text in conversation["turns"]:
        for kind, number in _MARK.findall(text):
            if int(number) == sum(counted.values()) + 1:
                counted[kind] += 1
    return min(counted["image"], _MOST), min(counted["video"], _MOST)


def price_of(manifest: Mapping[str, Any], model: str) -> Price | None:
    """The price of a model that the last command gave; None where there is none."""
    found = manifest.get("models", {}).get(model, {}).get("price")
    return None if found is None else Price.model_validate(found)


def usage_rows(
    manifest: Mapping[str, Any], found: Mapping[tuple[str, str] | None, Used]
) -> Iterator[dict[str, Any]]:
    """One row for each cell with replies, as plain JSON; the last, without a cell, holds replies of none.

    `found` is what the replies took (`read_usage`), those of other folders with what they took when they were asked
    there. `cost` with its `currency` stands where the model has a price.
    """
    for entry in manifest["cells"]:
        used = found[entry["id"], entry["prompt"]]
        if used.told or used.shared:
            yield {
                "task": entry["task"], "model": entry["model"], "prompt": entry["prompt"],
                "condition": entry["condition"],
                "channel": spelled_channel(
                    entry.get("channel", FREE), entry["protocol"], entry.get("thinking", ""), entry.get("tools", "")
                ),
                **used.row(), **_foreseen(manifest, entry["model"]), **_wordless(manifest, entry["prompt"]), **priced(used, price_of(manifest, entry["model"])),
            }  # fmt: skip
    left = found.get(None)
    if left is not None and left.told:
        models = list(manifest["models"])
        model = models[0] if len(models) == 1 else ""
        price = price_of(manifest, model) if model else None
        yield {"task": "", "model": model, **left.row(), **priced(left, price)}


def _foreseen(manifest: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The share of the model's prompt tokens that was predicted to be shared, and what the caches of its server did
    while it was asked, where that is known."""
    known = manifest["models"].get(model, {})
    return {key: known[key] for key in ("shared_foreseen", "cache_counts") if key in known}


def _wordless(manifest: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    """Of a prompt that is no conversation, that its model reads and writes no tokens: nothing was left uncounted."""
    head = manifest.get("prompts", {}).get(prompt, {}).get("head", {})
    family = head.get("family", NO_PROMPT if prompt == NO_PROMPT else CHAT[0])
    return {} if family in CHAT else {"wordless": True, "uncounted": 0}


def priced(used: Used, price: Price | None) -> dict[str, Any]:
    """What replies cost, where there is a price."""
    if price is None or used.second:
        return {}
    return {"cost": round(used.cost(price), 8), "currency": price.currency}

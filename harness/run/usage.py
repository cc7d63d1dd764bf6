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
from typing import TYPE_CHECKING, Any

from harness.core.cell import FREE, spelled_channel
from harness.core.price import Price
from harness.core.prompt_family import CHAT, NO_PROMPT
from harness.run.basis import accepted
from harness.run.digest_column import DigestColumn
from harness.run.digests import KEY, digest, short_key
from harness.run.folder import RunFolder
from harness.run.log import read_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

USAGE = "usage"
"""The key of its rows in extras.json."""

_REPLY = struct.Struct("<IIIIIHfHH??")
"""Tokens of prompt, completion, reasoning, pictures and what was shared, pictures encoded, seconds, pictures, videos,
refused, by a second model."""
_COLUMNS = (
    "prompt", "completion", "reasoning", "picture_tokens", "shared_tokens", "encoded", "seconds", "pictures", "videos",
    "refused", "second",
)  # fmt: skip
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

    def add(self, replies: NDArray[Any]) -> None:
        """Count replies in, as `_REPLY` has them."""
        prompt, refused = replies["prompt"], replies["refused"]
        self.replies += len(replies)
        self.uncounted += int((prompt == 0).sum())
        self.refused += int((refused & (prompt == 0)).sum())
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + int(replies[name].sum(dtype=int)))
        self.seconds.frombytes(replies["seconds"].tobytes())

    def add_shared(self, replies: NDArray[Any]) -> None:
        """Count replies in that are counted elsewhere."""
        self.shared += len(replies)
        self.prompt_again += int(replies["prompt"].sum(dtype=int))
        self.completion_again += int(replies["completion"].sum(dtype=int))
        self.pictures_again += int(replies["pictures"].sum(dtype=int))

    def count(self, line: Mapping[str, Any], *, pictures: int) -> None:
        """Count one reply in, by its line in a log."""
        self.add(_unpacked(_packed(line, pictures, 0)))

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
        self._conversations, self._shown = DigestColumn(), array("H")
        """Names of conversations, and the pictures and videos of each."""
        for _, line in read_log(folder.conversations):
            self._conversations.append(_name(line["id"]))
            self._shown.extend(_pictures(line))
        self._keys = DigestColumn()
        self._replies, self._said = bytearray(), bytearray()
        """Of each key what its reply took, and the name of its conversation."""
        self._found: dict[tuple[str, str] | None, Used] = {}
        self._owners: dict[tuple[str, str], int] = {}
        """(cell id, basis) -> the number of the sum that its trials count for."""
        self._asked, self._asking = bytearray(), array("i")
        """Keys of the requests of trials, one behind the other, and the number of the sum of each."""
        for number, entry in enumerate(manifest["cells"]):
            self._found.setdefault((entry["id"], entry["prompt"]), Used())
            self._owners |= dict.fromkeys(
                ((entry["id"], basis) for basis in accepted(entry)), number
            )
        self._sums = [self._found[entry["id"], entry["prompt"]] for entry in manifest["cells"]]

    def reply(self, line: Mapping[str, Any]) -> None:
        """Take note of a line of generations.jsonl."""
        if self._taken or not line.get("reused"):
            self._keys.append(short_key(line["key"]))
            self._replies += _packed(line, 0, 0)
            self._said += _name(line["conversation"])

    def trial(self, line: Mapping[str, Any]) -> None:
        """Count the replies of a line of trials.jsonl for the cell that comes first for each."""
        number = self._owners.get((line["trial"].partition("/")[0], line["basis"]))
        if number is None:
            return
        if seconds := line.get("tool_seconds"):
            self._sums[number].tool_seconds += seconds
        keys = line["keys"]
        for key in keys if len(keys) < 2 else dict.fromkeys(keys):
            self._asked += short_key(key)
            self._asking.append(number)

    def _counted(self) -> NDArray[Any]:
        """What each reply took, with the pictures and videos of its conversation."""
        import numpy as np

        replies = _unpacked(self._replies).copy()
        place = self._conversations.find(self._said)
        shown = np.array([*self._shown, 0, 0], dtype=np.uint16).reshape(-1, 2)  # -1: none
        replies["pictures"], replies["videos"] = shown[place].T
        return replies

    def found(self) -> dict[tuple[str, str] | None, Used]:
        """(cell id, name of its prompt) -> what its replies took; None -> replies of no cell that the manifest holds,
        such as the first steps of conversations that were interrupted. Called once, when all lines were read."""
        import numpy as np

        replies = self._counted()
        asked = self._keys.find(self._asked)
        owners = np.frombuffer(self._asking, dtype=np.intc) if self._asking else asked[:0]
        owners, asked = owners[asked >= 0], asked[asked >= 0]
        first = np.zeros(len(asked), dtype=np.bool_)
        claimed, places = np.unique(asked, return_index=True)
        first[places] = True
        for number, used in enumerate(self._sums):
            mine = owners == number
            used.add(replies[asked[mine & first]])
            used.add_shared(replies[asked[mine & ~first]])
        left = Used()
        left.add(replies[np.setdiff1d(self._keys.last_ones(), claimed)])
        return {**self._found, **({None: left} if left.replies else {})}


def _name(conversation: str) -> bytes:
    """The name of a conversation as a column of digests holds it: names that the harness gives are short enough."""
    name = conversation.encode("utf-8", "surrogatepass")
    return name if len(name) == KEY else digest(conversation)


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


_SUMMED = tuple(name for name in _COLUMNS if name not in {"refused", "seconds"})
"""Columns whose sums `Used` holds under the same name."""


def _unpacked(replies: bytes | bytearray) -> NDArray[Any]:
    """Replies as a table with named columns, as `_REPLY` has them."""
    import numpy as np

    kinds = zip(_COLUMNS, _REPLY.format.removeprefix("<"), strict=True)
    return np.frombuffer(bytes(replies), dtype=[(n, f"<{_KINDS[kind]}") for n, kind in kinds])


_KINDS = {"I": "u4", "H": "u2", "f": "f4", "?": "?"}


def _packed(line: Mapping[str, Any], pictures: int, videos: int) -> bytes:
    """What a reply took, by its line in a log, as `_REPLY` has it."""
    prompt, completion, *rest = line["usage"]
    refused = line.get("refusal", {}).get("by") == "platform"
    return _REPLY.pack(
        prompt, completion, *(*rest, 0, 0, 0)[:3], min(rest[3] if len(rest) > 3 else 0, _MOST),
        line["latency"], pictures, videos, refused, "model" in line,
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

"""A rendered conversation: turns of text, pictures and videos."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
"""tool: what came of a call that a server was told apart from the text; it holds text alone."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded picture in a turn, as it will be sent: the file's own bytes where nothing changed it."""

    name: str
    data: bytes = field(repr=False)
    digest: str = ""
    """Hex SHA-256 of `data`."""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.data).hexdigest())

    @property
    def mime(self) -> str:
        """The media type, read from the first bytes."""
        for magic, mime in _MAGIC:
            if self.data.startswith(magic):
                return mime
        if self.data[8:12] == b"WEBP":
            return "image/webp"
        return "application/octet-stream"


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


@dataclass(frozen=True, slots=True)
class Video:
    """The frames of a clip in a turn, to be sent as one video. Frame k was taken `numbers[k] / fps` seconds after the
    first."""

    name: str
    frames: tuple[Image, ...]
    """In order of time, all of one size."""
    numbers: tuple[int, ...]
    """For each frame its number in the clip, counted from the first frame shown, which is 0."""
    fps: float
    """Frames per second of the clip as recorded, those that are not shown among them."""
    digest: str = ""
    """Hex SHA-256 over the frames' digests and their times."""

    def __post_init__(self) -> None:
        if not self.frames or len(self.frames) != len(self.numbers):
            raise ValueError(f"{len(self.frames)} frames but {len(self.numbers)} numbers")
        if not self.digest:
            told = [[frame.digest for frame in self.frames], self.numbers, self.fps]
            digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
            object.__setattr__(self, "digest", digest)

    @property
    def total(self) -> int:
        """Frames that the clip would have if it went on as far behind the last one shown as these stand apart.

        `len(frames) / total * fps` is then the rate of the frames shown, as transformers and vLLM reckon it
        (`VideoMetadata.sampled_fps`), exact for frames evenly spaced.
        """
        gaps = len(self.frames) - 1
        return 1 if not gaps else round(len(self.frames) * self.numbers[-1] / gaps)

    @property
    def rate(self) -> float:
        """Frames shown per second."""
        return len(self.frames) / self.total * self.fps


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound in a turn: a WAV file of 16-bit samples of one channel."""

    name: str
    data: bytes = field(repr=False)
    seconds: float = 0.0
    digest: str = ""
    """Hex SHA-256 of `data`."""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.data).hexdigest())


Visual: TypeAlias = Image | Video | Audio
"""Parts of a turn other than text."""

Part: TypeAlias = Text | Image | Video | Audio


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as a server gives it, apart from the text of a reply."""

    name: str
    arguments: str
    """As the model wrote them: JSON, if they are well-formed."""
    id: str = ""
    """Of a call in a conversation, the name by which the turn with its result refers to it. It is counted here, not
    taken from the server, so that equal trials make equal requests."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Role
    parts: tuple[Part, ...]
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant turn, the calls that the server was given beside its text."""
    answers: str = ""
    """Of a tool turn, the id of the call whose result it holds."""

    @property
    def text(self) -> str:
        """The turn's text with each picture written as [image: name], each video as [video: name]."""
        return "".join(map(_written, self.parts))

    @property
    def written_calls(self) -> str:
        """Its calls for people: `<tool_call>{"name": ..., "arguments": ...}</tool_call>`, one after the other."""
        return "".join(map(written_call, self.calls))


def written_call(call: ToolCall) -> str:
    """A call as text; arguments that are no JSON stand as they are."""
    given = call.arguments.strip() or "{}"
    return f'<tool_call>{{"name": {json.dumps(call.name)}, "arguments": {given}}}</tool_call>'


def _written(part: Part) -> str:
    if isinstance(part, Text):
        return part.text
    return f"[{medium_word(part)}: {part.name}]"


def medium_word(part: Visual) -> str:
    """`image`, `video` or `sound`."""
    if isinstance(part, Audio):
        return "sound"
    return "video" if isinstance(part, Video) else "image"

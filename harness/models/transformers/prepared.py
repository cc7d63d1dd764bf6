"""A request made ready for a loaded checkpoint."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.request import Request

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from harness.media.sound import Wave


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request with its text with placeholders, its pictures, the frames of its videos, and its sounds."""

    request: Request
    text: str
    pictures: tuple[Picture, ...]
    films: tuple[tuple[Picture, ...], ...] = ()
    """For each video its frames."""
    tokens: int = 1
    """Of the text with its pictures and sounds; those of videos are not counted."""
    ids: tuple[int, ...] = ()
    """Tokens of the text, each picture one placeholder."""
    names: tuple[str, ...] = ()
    """Digests of the pictures."""
    sounds: tuple[Wave, ...] = ()
    """Samples of its sounds at the rate of the processor."""

    @property
    def group(self) -> Hashable:
        """Equal for prompts that may share a batch: count of pictures and sounds, sizes of frames, decoding, what the reply is held to, the fold.

        A repetition penalty counts the padding of a batch as spoken, so such requests go alone.
        """
        sampling = self.request.sampling
        return (
            (len(self.pictures), len(self.sounds)),
            tuple(tuple(frame.size for frame in frames) for frames in self.films),
            (sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens),
            (self.request.constraint, self.request.candidates, self.request.adapter),
            None if sampling.repetition_penalty == 1 else self.request.key,
        )

"""A request made ready for a loaded checkpoint."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.request import Request

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request with its text with placeholders, its pictures, and the frames of its videos."""

    request: Request
    text: str
    pictures: tuple[Picture, ...]
    films: tuple[tuple[Picture, ...], ...] = ()
    """For each video its frames."""
    tokens: int = 1
    """Of the text with its pictures; those of videos are not counted."""
    ids: tuple[int, ...] = ()
    """Tokens of the text, each picture one placeholder."""
    names: tuple[str, ...] = ()
    """Digests of the pictures."""

    @property
    def group(self) -> Hashable:
        """Equal for prompts that may share a batch: count of pictures, sizes of frames, decoding, what the reply is held to.

        A repetition penalty counts the padding of a batch as spoken, so such requests go alone.
        """
        sampling = self.request.sampling
        return (
            len(self.pictures),
            tuple(tuple(frame.size for frame in frames) for frames in self.films),
            (sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens),
            (self.request.constraint, self.request.candidates),
            None if sampling.repetition_penalty == 1 else self.request.key,
        )

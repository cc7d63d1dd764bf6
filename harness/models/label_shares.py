"""What models that give shares of labels and write no text have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.core.errors import MediaError
from harness.core.generation import Generation, LabelScores, Usage
from harness.core.message import Image, Video
from harness.core.request import Request
from harness.models.transformers.picture import decode_picture
from harness.models.transformers.prepared import PreparedRequest


def frames(parts: Iterable[object]) -> Iterator[Image]:
    """The pictures among parts of a conversation; of a video its frames."""
    for part in parts:
        if isinstance(part, Video):
            yield from part.frames
        elif isinstance(part, Image):
            yield part


def decoded(request: Request, shown: Iterable[object]) -> PreparedRequest | Generation:
    """The request with its pictures decoded; a failed Generation where one cannot be, or there is none."""
    try:
        pictures = tuple(map(decode_picture, frames(shown)))
    except MediaError as error:
        return Generation.failed(request.key, "media", str(error))
    if not pictures:
        return Generation.failed(request.key, "unsupported", "the request holds no picture")
    return PreparedRequest(request, "", pictures)


def scored(request: Request, logs: Sequence[float]) -> Generation:
    """The candidate of the greatest share, with the log-shares of all, in the order of the candidates."""
    best = max(range(len(logs)), key=logs.__getitem__)
    scores = LabelScores(
        request.candidates, tuple(round(one, 6) for one in logs), (1,) * len(logs), "distribution"
    )
    return Generation(request.key, request.candidates[best], "stop", Usage(), scores=scores)

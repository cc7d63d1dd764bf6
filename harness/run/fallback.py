"""Fallbacks for conversations that a model does not accept, by rules that are recorded.

video-as-frames: for a model that takes no video, or was not proved to take one with the frames and times it is given,
the frames stand one after the other where the video stood.

not-heard: for a model that was not shown to hear, a sound beside pictures is left out. One without pictures is not
asked: its trial fails and says so.

contact-sheet: a request with more pictures than the model takes shows each group of neighbouring pictures
(nothing but white space between them) as one numbered contact sheet. Pictures that a prompt sets apart, by
words or turns, are named by it one by one and stay apart. Of a trial with tools, where pictures come turn by turn, all
become one sheet in the last turn that shows any.

system-in-user: for a chat template without a system turn, or where the model's settings say so, its text goes before
that of the first user turn.

system-left-out: where the model's settings say so, system turns are not sent.

All change the messages before the key is made, so that what was sent is what the key names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from harness.core.errors import HarnessError, MediaError
from harness.core.generation import Failure
from harness.core.message import Audio, Image, Message, Part, Text, Video
from harness.core.model import Card
from harness.core.picture import HeldPicture
from harness.core.text import counted
from harness.media.transforms import limited_picture
from harness.models.hearing import has_sound
from harness.models.settings import SystemTurns
from harness.run.per_model import declared

VIDEO_AS_FRAMES = "video-as-frames"
NOT_HEARD = "not-heard"
CONTACT_SHEET = "contact-sheet"
SYSTEM_IN_USER = "system-in-user"
SYSTEM_LEFT_OUT = "system-left-out"

HELD_SHEETS = 8
"""Sheets kept for the next prompt that shows the same frames."""


@dataclass(frozen=True, slots=True)
class FittedRequest:
    """A conversation as the model takes it, or why it cannot be put."""

    messages: tuple[Message, ...]
    rules: tuple[str, ...] = ()
    """Names of the rules that fired, in the order applied."""
    failure: Failure | None = None


class Fitter:
    """Fits conversations to one model. `card` is asked anew each time, since a server tells its limits late."""

    def __init__(
        self,
        card: Callable[[], Card],
        *,
        most: int | None = None,
        video: bool | None = None,
        audio: bool | None = None,
        system: SystemTurns = "keep",
    ) -> None:
        """`most`: most pictures in one request as the person who runs declares it; None says nothing. `video`: whether
        the model was found to take video; None leaves that to the card; `audio` likewise. `system`: what becomes of system turns."""
        self._system = system
        self._card = card
        self._declared = most
        self._video = video
        self._audio = audio
        self._sheets: dict[tuple[str, ...], asyncio.Future[Image]] = {}

    @property
    def most(self) -> int | None:
        """Most pictures in one request: the lesser of what is declared and what the card says."""
        return most_images(self._card(), self._declared)

    @property
    def _takes_video(self) -> bool:
        return self._card().video if self._video is None else self._video

    @property
    def _hears(self) -> bool:
        return self._card().audio if self._audio is None else self._audio

    async def fit(
        self, messages: tuple[Message, ...], *, pixels: int = 0, gather: bool = False
    ) -> FittedRequest:
        """The conversation with the rules applied; the same object where none is needed. A contact sheet has at most
        `pixels` (0: no limit). With `gather` pictures of all turns may become one sheet."""
        if self._hears or not has_sound(messages):
            return await self._fit(messages, (), pixels=pixels, gather=gather)
        messages = without_sound(messages)
        if any(isinstance(p, Image | Video) for m in messages for p in m.parts):
            return await self._fit(messages, (NOT_HEARD,), pixels=pixels, gather=gather)
        why = f"not heard: {self._card().name} was not shown to hear, and there is nothing to see"
        return FittedRequest(messages, (NOT_HEARD,), Failure("unsupported", why))

    async def _fit(
        self, messages: tuple[Message, ...], before: tuple[str, ...], *, pixels: int, gather: bool
    ) -> FittedRequest:
        rules = list(before)
        if not self._takes_video and has_video(messages):
            messages = video_as_frames(messages)
            rules.append(VIDEO_AS_FRAMES)
        if any(m.role == "system" for m in messages):
            if self._system == "none":
                messages = tuple(m for m in messages if m.role != "system")
                rules.append(SYSTEM_LEFT_OUT)
            elif self._system == "user" or not self._card().system_role:
                messages = system_in_user(messages)
                rules.append(SYSTEM_IN_USER)
        most = self.most
        if most is None or count_pictures(messages) <= most:
            return FittedRequest(messages, tuple(rules))
        try:
            sheeted = [await self._sheeted(message, pixels) for message in messages]
        except MediaError as error:
            return FittedRequest(
                messages, tuple(rules), Failure("media", f"{error.kind}: {error.message}")
            )
        shown = count_pictures(sheeted)
        if shown > most and gather:
            try:
                return FittedRequest(
                    await self._gathered(messages, pixels), (*rules, CONTACT_SHEET)
                )
            except MediaError as error:
                told = f"{error.kind}: {error.message}"
                return FittedRequest(messages, tuple(rules), Failure("media", told))
        if shown > most:
            return FittedRequest(
                messages, tuple(rules), Failure("unsupported", _apart(self._card(), shown, most))
            )
        return FittedRequest(tuple(sheeted), (*rules, CONTACT_SHEET))

    async def _sheeted(self, message: Message, pixels: int) -> Message:
        parts: list[Part] = []
        for group in grouped(message.parts):
            images = [part for part in group if isinstance(part, Image)]
            parts += [await self._sheet(images, pixels)] if len(images) > 1 else group
        return replace(message, parts=tuple(parts))

    async def _gathered(self, messages: tuple[Message, ...], pixels: int) -> tuple[Message, ...]:
        """All pictures on one sheet in the last turn that shows any, each named by its number where it stood."""
        images = [part for m in messages for part in m.parts if isinstance(part, Image)]
        last = max(n for n, m in enumerate(messages) if any(isinstance(p, Image) for p in m.parts))
        number, turns = 0, []
        for place, message in enumerate(messages):
            parts: list[Part] = []
            for part in message.parts:
                if isinstance(part, Image):
                    number += 1
                    parts.append(Text(f"(picture {number} of the sheet)"))
                else:
                    parts.append(part)
            if place == last:
                parts += [Text("\n"), await self._sheet(images, pixels)]
            turns.append(replace(message, parts=tuple(parts)))
        return tuple(turns)

    async def _sheet(self, images: Sequence[Image], pixels: int) -> Image:
        key = (str(pixels), *(image.digest for image in images))
        made = self._sheets.get(key)
        if made is None:
            made = asyncio.ensure_future(asyncio.to_thread(sheet_of, images, pixels=pixels))
            made.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._sheets[key] = made
            while len(self._sheets) > HELD_SHEETS:
                del self._sheets[next(iter(self._sheets))]
        return await asyncio.shield(made)


def declared_images(written: Sequence[str], models: Sequence[str]) -> dict[str, int]:
    """Model -> most pictures of one request, from `N` (every model) and `MODEL=N`; the last word counts.

    Raises HarnessError for what is neither, and for a model that is not among `models`.
    """
    return declared(written, models, option="--max-images", read=_number_of_images)


def _number_of_images(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise HarnessError(
            f"--max-images {text!r} is not a number of at least 1",
            hint="write --max-images 1, or --max-images MODEL=1 with the model as --model names it",
        )
    return int(text)


def most_images(card: Card | None, declared: int | None) -> int | None:
    """The lesser of what a card says and what was declared; None where neither says anything."""
    known = None if card is None else card.max_images
    return min((n for n in (known, declared) if n is not None), default=None)


def count_pictures(messages: Sequence[Message]) -> int:
    """Pictures in all turns; a video is none."""
    return sum(isinstance(part, Image) for message in messages for part in message.parts)


def grouped(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts in order, each group of neighbouring pictures together without the white space between."""
    groups: list[list[Part]] = []
    space: list[Part] = []
    for part in parts:
        after_picture = bool(groups) and isinstance(groups[-1][-1], Image)
        if isinstance(part, Image) and after_picture:
            groups[-1].append(part)
            space = []
        elif isinstance(part, Text) and after_picture and not part.text.strip():
            space.append(part)
        else:
            groups += [[one] for one in (*space, part)]
            space = []
    return groups + [[one] for one in space]


def has_video(messages: Sequence[Message]) -> bool:
    """Whether a turn holds a video."""
    return any(isinstance(part, Video) for message in messages for part in message.parts)


def without_sound(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The turns without their sounds."""
    return tuple(
        replace(m, parts=tuple(part for part in m.parts if not isinstance(part, Audio)))
        for m in messages
    )


def video_as_frames(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The turns with the frames of each video in its place, a line break between two."""
    return tuple(
        replace(m, parts=tuple(chain.from_iterable(map(_framed, m.parts)))) for m in messages
    )


def _framed(part: Part) -> Iterator[Part]:
    if not isinstance(part, Video):
        yield part
        return
    for number, frame in enumerate(part.frames):
        yield from ((Text("\n"), frame) if number else (frame,))


def sheet_of(images: Sequence[Image], *, pixels: int = 0) -> Image:
    """One contact sheet of encoded pictures, of at most `pixels` (0: no limit). Raises MediaError."""
    from harness.media.sheet import contact_sheet

    sheet = contact_sheet([HeldPicture(image.name, image.data) for image in images])
    made = limited_picture(sheet, most=pixels) if pixels else sheet
    return Image(made.name, made.read())


def system_in_user(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The turns without system turns, their text before that of the first user turn, a blank line between."""
    said = "\n\n".join(m.text for m in messages if m.role == "system")
    turns = [m for m in messages if m.role != "system"]
    for nth, turn in enumerate(turns):
        if turn.role == "user":
            turns[nth] = replace(turn, parts=(Text(f"{said}\n\n"), *turn.parts))
            return tuple(turns)
    return (Message("user", (Text(said),)), *turns)


def _apart(card: Card, shown: int, most: int) -> str:
    return (
        f"the prompt shows {counted(shown, 'picture')} that cannot be combined, and {card.name} accepts "
        f"{most}: only neighbouring pictures can become a contact sheet. Print them together "
        "({{ frames | join('\n') }}), or use fewer frames or --shots"
    )

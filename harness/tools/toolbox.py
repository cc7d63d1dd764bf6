"""Tools bound to one sample: calls are checked, carried out, and, where the toolbox is made to lie, altered.

An alteration holds for every tool of the box, from the first call on:

    blank         nothing can be seen: pictures are mid-grey, and the text says that there is no result
    echo          nothing new: the picture as it was, whatever was asked for
    swap          what the same call gives on another person's sample, which has another label
    noise=P       the same as swap with probability P, drawn for each call; else the truth
    unavailable   no tool works
    perfect       a tool that takes a box shows the part where the answer is to be seen, whatever part was asked for

Calls that are wrong are told so whatever the alteration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.core.errors import HarnessError, MediaError
from harness.core.marks import Box
from harness.core.message import Image, Message
from harness.core.tool import Call, Finding, Observation, Tool, ToolFrames
from harness.core.tools_asked import NOISE, ToolsAsked
from harness.media.decode import MID_GREY
from harness.media.transforms import encode_png
from harness.prompting.controls import neutralise
from harness.tools.places import BOX, PART, grown

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MOST_TEXT = 2000
"""Characters of a finding's text that are shown."""
TOOLBOX_VERSION = "1"
"""Changes whenever the same finding would be shown otherwise, or altered otherwise."""
NO_RESULT = "The tool gives no result for this picture."
NOTHING_NEW = "The picture as it was; the tool adds nothing to it."
NO_MORE = "The tool adds nothing."
UNAVAILABLE = "The tool is not available at the moment."


@dataclass(frozen=True, slots=True)
class Donor:
    """Another sample that stands in for the sample where tools are made to lie."""

    sample: str
    frames: ToolFrames
    question: Callable[[], tuple[Message, ...]] | None = None
    """The prompt with its pictures, for a second model."""


@dataclass(frozen=True, slots=True)
class BoundTools:
    """A `Toolbox`: the tools of a cell, over the pictures of one sample."""

    tools: Sequence[Tool]
    asked: ToolsAsked
    frames: ToolFrames
    donor: Donor | None = None
    """Needed where `asked.needs_donor`."""
    seed: str = ""
    """What decides which calls `noise` falsifies: that of the run, and the sample's id."""
    region: Box | None = None
    """Where the answer is to be seen, in shares of the picture; needed where `asked.needs_region`."""

    @property
    def offered(self) -> Sequence[Mapping[str, Any]]:
        """Name, description and arguments of each tool."""
        return tuple(offer(tool) for tool in self.tools)

    @property
    def digest(self) -> str:
        """Over the tools' versions, how they lie, and the bytes of every picture. Raises MediaError."""
        told: list[Any] = [
            self.asked.written,
            {tool.name: tool.version for tool in self.tools},
            TOOLBOX_VERSION,
            self.seed,
            _content(self.frames),
        ]
        told += [self.donor.sample, _content(self.donor.frames)] if self.donor else []
        told += [self.region] if self.region else []
        return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogatepass")).hexdigest()

    def use(self, call: Call, *, side: int) -> Observation:
        """What comes of a call. Raises HarnessError where a tool of another package fails in another way than it may."""
        tool = next((one for one in self.tools if one.name == call.name), None)
        if tool is None:
            names = ", ".join(one.name for one in self.tools)
            text = f"There is no tool {call.name[:40]!r}. There are: {names}."
            return Observation(neutralise(text), status="unknown-tool")
        try:
            # By way of JSON, in which a list may be a tuple and nothing else is converted.
            arguments = tool.arguments.model_validate_json(_json(call.arguments), strict=True)
            unknown = sorted({*call.arguments} - {*tool.arguments.model_fields})
        except ValidationError as error:
            return Observation(_wrong(tool, error), status="bad-arguments")
        if unknown:
            text = f"{tool.name} takes no {unknown[0][:40]!r}."
            return Observation(neutralise(text), status="bad-arguments")
        return self._altered(tool, arguments, call, side)

    def _altered(self, tool: Tool, arguments: Any, call: Call, side: int) -> Observation:
        alteration = self.asked.alteration
        if alteration == "unavailable":
            return Observation(UNAVAILABLE, status="unavailable")
        frames, donor = self.frames, ""
        if self.asked.needs_donor and self.donor is not None and self._lies(call):
            frames, donor = self.donor.frames, self.donor.sample
        if self.asked.needs_region and self.region is not None and takes_box(tool):
            try:
                arguments = self._where_it_is(arguments, self.region)
            except MediaError as error:
                return Observation(f"Not found: {error.message}.", (), "not-found")
        finding = _found(tool, frames, arguments)
        if finding.asks:
            return self._asking(finding, donor)
        if donor and _same(finding, _found(tool, self.frames, arguments)):
            donor = ""  # what it says is true of this sample as well
        if alteration == "blank" and finding.found:
            grey = tuple(_grey(one) for one in finding.pictures)
            finding = Finding(NO_RESULT, grey)
        if alteration == "echo" and finding.found:
            finding = self._nothing_new(arguments, pictured=bool(finding.pictures))
        return replace(_observed(tool, finding, side), donor=donor)

    def _nothing_new(self, arguments: Any, *, pictured: bool) -> Finding:
        if not pictured:
            return Finding(NOTHING_NEW)
        try:
            whole = self.frames.pixels(min(_frame(arguments), self.frames.count - 1))
        except MediaError as error:  # a frame that the tool did not look at
            return Finding(f"Not found: {error.message}.", found=False)
        return Finding(NOTHING_NEW, (whole,))

    def _where_it_is(self, arguments: Any, region: Box) -> Any:
        """The arguments of a call with the true region, and as much around it as around a part of the face, as its box."""
        width, height = self.frames.pixels(min(_frame(arguments), self.frames.count - 1)).size
        x0, y0, x1, y1 = region
        box = (x0 * width, y0 * height, x1 * width, y1 * height)
        left, top, right, bottom = grown(box, within=(width, height))
        shares = (left / width, top / height, right / width, bottom / height)
        there: dict[str, Any] = {BOX: tuple(round(share, 4) for share in shares)}
        if PART in type(arguments).model_fields:
            there[PART] = None
        return arguments.model_copy(update=there)

    def _asking(self, finding: Finding, donor: str) -> Observation:
        """A second model is asked; where the toolbox lies, about the sample that stands in, or not at all."""
        told = {"blank": NO_RESULT, "echo": NO_MORE}.get(self.asked.alteration)
        if told is not None:
            return Observation(told)
        question = self.donor.question if donor and self.donor is not None else None
        try:
            made = None if question is None else question()
        except MediaError as error:
            return Observation(f"Not found: {error.message}.", (), "not-found", donor)
        return Observation(finding.text, (), "not-found", donor, asks=True, question=made)

    def _lies(self, call: Call) -> bool:
        if self.asked.alteration != NOISE:
            return True
        told = json.dumps([self.seed, call.name, call.arguments], sort_keys=True, default=str)
        drawn = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(drawn[:8]) / 2**64 < self.asked.share


def takes_box(tool: Tool) -> bool:
    """Whether a call of the tool may say by a box which part of the picture to show."""
    return BOX in tool.arguments.model_fields


def _content(frames: ToolFrames) -> str:
    return str(getattr(frames, "digest", ""))


def _json(arguments: Mapping[str, Any]) -> str:
    return json.dumps(dict(arguments)).encode("utf-8", "replace").decode()


@cache
def offer(tool: Tool) -> Mapping[str, Any]:
    """A tool as a model is told of it: name, description, and arguments as a JSON schema without titles."""
    return {
        "name": tool.name,
        "description": tool.description,
        "arguments": _plain(tool.arguments.model_json_schema()),
    }


def _plain(schema: Any) -> Any:
    """A JSON schema in fewer words: no titles, no null for what may be left out, plain bounds."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        _BOUNDS.get(key, key): _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and key != "additionalProperties"
        and not (key == "default" and value is None)
    }
    choices = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if {"type": "number"} in choices:
        choices = [one for one in choices if one != {"type": "integer"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept = {**choices[0], **kept}
    items = kept.get("prefixItems")
    if items and all(one == items[0] for one in items):
        del kept["prefixItems"]
        kept["items"] = items[0]
    if kept.get("type") == "object":
        kept.pop("description", None)
    return kept


_BOUNDS = {"ge": "minimum", "le": "maximum"}


def _found(tool: Tool, frames: ToolFrames, arguments: Any) -> Finding:
    try:
        found = tool.use(frames, arguments)
    except MediaError as error:
        return Finding(f"Not found: {error.message}.", found=False)
    except HarnessError:
        raise
    except Exception as error:  # another package's code may raise anything
        raise HarnessError(
            f"tool {tool.name} failed: {type(error).__name__}: {error}", hint=_REPORT
        ) from error
    if not isinstance(found, Finding):
        raise HarnessError(
            f"tool {tool.name} gave {type(found).__name__}, not a Finding", hint=_REPORT
        )
    return found


def _same(one: Finding, other: Finding) -> bool:
    """Whether both say and show the same."""
    if (one.text, one.found, len(one.pictures)) != (other.text, other.found, len(other.pictures)):
        return False
    pairs = zip(one.pictures, other.pictures, strict=True)
    return all((a.mode, a.size, a.tobytes()) == (b.mode, b.size, b.tobytes()) for a, b in pairs)


_REPORT = "report it to the package that brings it (`harness list tools`)"


def _frame(arguments: Any) -> int:
    frame = getattr(arguments, "frame", 0)
    return frame if isinstance(frame, int) else 0


def _grey(picture: Pixels) -> Pixels:
    from PIL import Image as Pillow

    return Pillow.new("RGB", picture.size, MID_GREY)


def _observed(tool: Tool, finding: Finding, side: int) -> Observation:
    shown = tuple(
        Image(f"{tool.name} {number}", encode_png(_fitted(picture, side)))
        for number, picture in enumerate(finding.pictures, 1)
    )
    return Observation(
        neutralise(finding.text[:MOST_TEXT]), shown, "ok" if finding.found else "not-found"
    )


def _fitted(picture: Pixels, side: int) -> Pixels:
    """RGB, made smaller where its longer side is over the limit."""
    from PIL import Image as Pillow

    made = picture.convert("RGB")
    scale = side / max(made.size)
    if scale >= 1:
        return made
    size = (max(1, round(made.width * scale)), max(1, round(made.height * scale)))
    return made.resize(size, Pillow.Resampling.LANCZOS)


def _wrong(tool: Tool, error: ValidationError) -> str:
    """What is wrong with the first wrong argument, what that argument is, and what others there are."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name, *inner = [str(part) for part in first["loc"]] or [""]
    words = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    few = inner and first["type"] == "missing"
    words = "has too few values" if few else _WORDS.get(first["type"], words)
    place = f"{name}.{inner[0]}" if inner and inner[0].isdigit() and not few else name
    about = (
        tool.arguments.model_fields[name].description if name in tool.arguments.model_fields else ""
    )
    said = f"{tool.name}: {place}{' ' if place else ''}{words}."
    said += f" {name}: {about}." if about else ""
    takes = ", ".join(tool.arguments.model_fields)
    said += f" It takes: {takes}." if takes else " It takes no arguments."
    return neutralise(said[:MOST_TEXT])


_WORDS: Mapping[str, str] = {
    "extra_forbidden": "is no argument of it",
    "missing": "is missing",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "tuple_type": "should be a list",
    "too_long": "has too many values",
}
"""Errors of arguments, in plainer words than those of pydantic."""

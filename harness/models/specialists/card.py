"""What a classifier in a file takes and gives: a YAML file beside it (`emotion.yaml` beside `emotion.onnx`).

    labels: [angry, disgust, fear, happy, sad, surprise, neutral]
    size: 64                 # or [height, width]
    colour: grey             # rgb, bgr or grey
    layout: nchw             # axes of the input: batch, channels, height, width; or nhwc
    range: [-1, 1]           # black and white as the network takes them
    gives: probabilities     # or logits

After `range`, `mean` is subtracted and the result divided by `std`, one number for each channel, in the order of
`colour`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from harness.core.errors import HarnessError
from harness.core.text import read_small
from harness.core.yaml_text import YamlFault, parse_yaml

_LARGEST = 1 << 20
Side = Annotated[int, Field(strict=True, ge=8, le=2048)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class SpecialistCard(BaseModel):
    """A classifier's labels, and the input it takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        min_length=2, max_length=1000
    )
    """One for each output, in order."""
    size: Side | tuple[Side, Side]
    """Side of a square, or height and width, in pixels."""
    colour: Literal["rgb", "bgr", "grey"]
    layout: Literal["nchw", "nhwc"]
    range: tuple[Finite, Finite] = (0.0, 1.0)
    """What 0 and 255 become."""
    mean: tuple[Finite, ...] = ()
    std: tuple[Finite, ...] = ()
    gives: Literal["logits", "probabilities"]
    output: Annotated[int, Field(strict=True, ge=0)] | None = None
    """Which output is meant, from 0, where the network has several."""
    source: str = Field(default="", max_length=2000)
    """Where it is from; for the record."""
    licence: str = Field(default="", max_length=2000)

    @field_validator("labels")
    @classmethod
    def _different(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len({label.strip().casefold() for label in labels}) < len(labels):
            raise ValueError("a label stands there twice")
        return labels

    @model_validator(mode="after")
    def _fits(self) -> SpecialistCard:
        for name in ("mean", "std"):
            given = getattr(self, name)
            if given and len(given) != self.channels:
                raise ValueError(
                    f"{name} has {len(given)} numbers, and {self.colour} {self.channels} channels"
                )
        if any(value <= 0 for value in self.std):
            raise ValueError("std must be above 0")
        if self.range[0] >= self.range[1]:
            raise ValueError("range must go from the lower number to the higher one")
        return self

    @property
    def channels(self) -> int:
        """1 for grey, else 3."""
        return 1 if self.colour == "grey" else 3

    @property
    def height_width(self) -> tuple[int, int]:
        """In pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Of one picture, the batch first."""
        height, width = self.height_width
        if self.layout == "nchw":
            return (1, self.channels, height, width)
        return (1, height, width, self.channels)


def read_card(file: Path) -> SpecialistCard:
    """The card beside a network's file. Raises HarnessError where there is none, or where it is wrong."""
    card = file.with_suffix(".yaml")
    if not card.is_file():
        raise HarnessError(
            f"{file.name} has no card: {card} is not there",
            hint="write labels, size, colour, layout, range and gives into it (docs: A specialist)",
        )
    try:
        data, _ = parse_yaml(read_small(card, most=_LARGEST, what="a card"))
    except YamlFault as fault:
        raise HarnessError(f"{card}:{fault.line}: {fault.problem}", hint=fault.hint) from None
    return _checked(data, card)


def _checked(data: Any, card: Path) -> SpecialistCard:
    if not isinstance(data, dict):
        raise HarnessError(f"{card}: expected a mapping (key: value lines)")
    try:
        return SpecialistCard.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0]) if first["loc"] else "the card"
        allowed = ", ".join(SpecialistCard.model_fields)
        raise HarnessError(
            f"{card}: {key}: {first['msg'].removeprefix('Value error, ')}",
            hint=f"keys: {allowed}",
        ) from None

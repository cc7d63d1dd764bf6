"""`facs`: what an action unit is. The sentences are our own; numbers and names are those of FACS.

Numbers and names: Ekman, Friesen & Hager, Facial Action Coding System (2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field, StrictInt

from harness.core.tool import Finding, Tool, ToolFrames
from harness.faces.units import UNIT_TABLE
from harness.tools.places import Arguments

MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        1: "The inner ends of the brows rise. Short wrinkles may cross the middle of the forehead.",
        2: "The outer ends of the brows rise and the brows become arched. The skin above them wrinkles.",
        4: "The brows come down and together. Upright furrows may stand between them.",
        5: "The upper lids rise. More of the white of the eye shows above the iris, and the look is staring.",
        6: "The cheeks rise and the skin around the eyes is drawn together. Wrinkles run outwards from the corners of the "
        "eyes, which become narrower.",
        7: "The lids tighten and the lower ones rise a little. The eyes become narrow slits; the cheeks stay down.",
        9: "The nose is wrinkled along its sides and at its root. The upper lip and the wings of the nose are drawn up.",
        10: "The upper lip is drawn up, most in its middle. The furrows from nose to mouth deepen.",
        12: "The corners of the mouth are drawn up and outwards, as in a smile. The cheeks fill out.",
        14: "The corners of the mouth tighten and are drawn inwards. A small dent may show beside each.",
        15: "The corners of the mouth are drawn down.",
        17: "The chin is pushed up and its skin wrinkles. The lower lip is pushed up and may stick out.",
        20: "The mouth is drawn wide, straight to the sides. The lips become flat.",
        23: "The lips are tightened and become narrow, as a string that is pulled.",
        24: "The lips are pressed together without being pushed up.",
        25: "The lips part. Teeth or the gap between the lips may be seen.",
        26: "The jaw drops as it is let go. There is room between the teeth.",
        27: "The jaw is drawn far down and the mouth is wide open.",
        43: "The eyes are closed.",
    }
)
"""FACS number -> how it looks."""


class FacsArguments(Arguments):
    """Which unit."""

    unit: StrictInt = Field(ge=1, le=60, description="FACS number of the action unit, such as 12")


def _facs(_: ToolFrames, asked: FacsArguments) -> Finding:
    if asked.unit not in MEANINGS:
        known = ", ".join(map(str, MEANINGS))
        return Finding(f"AU{asked.unit} is not described; these are: {known}.", found=False)
    return Finding(f"AU{asked.unit}, {UNIT_TABLE[asked.unit].megc}. {MEANINGS[asked.unit]}")


FACS = Tool("facs", "tell what an action unit (FACS) looks like", FacsArguments, _facs)

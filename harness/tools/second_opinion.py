"""`second_opinion`: what another model says of the same picture and question."""

from __future__ import annotations

from harness.core.tool import SECOND_OPINION as NAME
from harness.core.tool import Finding, Tool, ToolFrames
from harness.tools.places import Arguments

ALONE = "A second opinion cannot be asked for here."
"""What stands where nothing asks another model: tools themselves ask none."""


class SecondOpinionArguments(Arguments):
    """Nothing: the question and the pictures are those of the prompt."""


def _second(_: ToolFrames, __: SecondOpinionArguments) -> Finding:
    return Finding(ALONE, found=False, asks=True)


SECOND_OPINION = Tool(
    NAME,
    "ask another model the same question about the same picture, and be told its answer",
    SecondOpinionArguments,
    _second,
)

"""Find pairs of conditions of a run that differ in one part of the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.conditions.cue import PREFIX
from harness.conditions.region import covered
from harness.cues.schema import CUES
from harness.cues.sheet import AnswerSheet

Kind: TypeAlias = Literal["cue", "region", "edit"]
CellName: TypeAlias = tuple[str, str, str, str]
"""Task, model, prompt, channel."""

UNCHANGED = "none"
"""The condition that changes nothing."""
AS_DRAWN = "as drawn"
CUE_OF = {"teeth": "teeth_visible"}
"""The cue that a part of the face shows, where their names differ."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two cells alike in all but one part of the face."""

    kind: Kind
    """cue: drawn again with the cue changed. region: the part covered, against as much covered elsewhere.
    edit: a picture edited in one attribute, against the unedited one (`harness.cues.edits`)."""
    cue: str
    values: tuple[str, str]
    """What was done in the first and in the second cell."""
    first: AnswerSheet
    second: AnswerSheet
    unchanged: AnswerSheet | None
    """The cell with untouched pictures, where it was run."""

    @property
    def cell(self) -> CellName:
        """What both cells share."""
        return self.first.name


def contrasts(sheets: Sequence[AnswerSheet]) -> list[Contrast]:
    """Every contrast of a run, cell by cell: changed cues first, then covered regions."""
    groups: dict[CellName, dict[str, AnswerSheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.name, {})[sheet.condition] = sheet
    return [
        found
        for group in groups.values()
        for found in (*_changed_cues(group), *_covered_regions(group))
    ]


def _changed_cues(group: dict[str, AnswerSheet]) -> list[Contrast]:
    """For each cue: shown against hidden where both were run, else every changed cell against the unchanged."""
    untouched = group.get(UNCHANGED)
    found = []
    for cue in CUES:
        prefix = f"{PREFIX}{cue}="
        changed = {n.removeprefix(prefix): s for n, s in group.items() if n.startswith(prefix)}
        if {"yes", "no"} <= changed.keys():
            pairs = [("yes", "no")]
        elif len(changed) == 2:
            first, second = sorted(changed)
            pairs = [(first, second)]
        elif untouched is not None:
            pairs = [(value, AS_DRAWN) for value in changed]
            changed |= {AS_DRAWN: untouched}
        else:
            pairs = []
        found += [Contrast("cue", cue, (a, b), changed[a], changed[b], untouched) for a, b in pairs]
    return found


def _covered_regions(group: dict[str, AnswerSheet]) -> list[Contrast]:
    """For each part and way of covering it that was run with its control: the part against its control."""
    cells = {done: sheet for name, sheet in group.items() if (done := covered(name)) is not None}
    found = [
        Contrast(
            "region", CUE_OF.get(part, part), (fill, f"{fill} elsewhere"),
            sheet, cells[part, fill, True], group.get(UNCHANGED),
        )
        for (part, fill, control), sheet in cells.items()
        if not control and (part, fill, True) in cells
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.values[0], CUES.index(one.cue)))


def lonely_regions(sheets: Sequence[AnswerSheet]) -> list[str]:
    """Conditions that cover a region, or elsewhere, without the other half in the same cell."""
    seen = {(s.name, *done) for s in sheets if (done := covered(s.condition)) is not None}
    return sorted(
        {
            sheet.condition
            for sheet in sheets
            if (done := covered(sheet.condition)) is not None
            and (sheet.name, done[0], done[1], not done[2]) not in seen
        }
    )

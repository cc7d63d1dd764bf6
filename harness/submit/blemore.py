"""BLEMORE (Blended Emotion Recognition Challenge, arXiv 2601.13225): one or two emotions a clip, with their salience.

Layout of the answers and both metrics: the public repository BlEmoRe/blemore-common (submission_template.json and
utils/generic_accuracy), read in November 2026. The file to be answered is that template.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.text import counted, digest_file
from harness.sources.cells import plain
from harness.submit.blends import (
    CODES,
    FIELDS,
    Blend,
    blend_of,
    clip_table,
    read_blend,
    read_clips,
    rounded,
    true_blends,
)
from harness.submit.choice import Choice
from harness.submit.findings import Findings, name_rows
from harness.submit.form import Answers, Asked, Draft, Options, no_labels
from harness.submit.items import (
    answers_to,
    order_faults,
    read_each,
    read_text,
    refuse_missing,
    refuse_unnamed,
    refuse_unusable,
    used,
)
from harness.submit.local_score import LocalScore, mean_of
from harness.submit.text import decoded

TEMPLATE = "submission_template.json"
"""The challenge's own name of its template, which the answers have too."""


@dataclass(frozen=True, slots=True)
class BlendForm:
    """The challenge's one file."""

    name: str = "blemore"
    description: str = "BLEMORE: one or two emotions a clip, with salience 100, 50/50 or 70/30"
    files: tuple[str, ...] = field(default=())
    unconfirmed: str = ""

    def read(self, path: Path) -> Asked:
        """Read the template, or the data set's table of clips, column `filename`.

        Raises HarnessError where it is no object of clips, or names a clip twice.
        """
        if path.suffix in {".csv", ".tsv"}:
            names = [plain(row.cells["filename"]) for row in clip_table(path)]
            refuse_unnamed(path.name, names, what="clip", column="filename")
            return Asked(path, digest_file(path), TEMPLATE, tuple(names))
        clips, doubled = read_clips(read_text(path, "--to-answer"), path.name)
        if doubled:
            raise HarnessError(f"{path.name}: the clip {doubled[0]!r} appears twice", hint="use the template as published")  # fmt: skip
        if not clips:
            raise HarnessError(f"{path.name} names no clip", hint="use the template as published")
        return Asked(path, digest_file(path), path.name, tuple(clips))

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """One or two emotions a clip, by the shares that a reply states, else by its label or set.

        A share of at least .85 stands alone. Else the two largest shares of emotions other than neutral are taken:
        70 and 30 where the first has at least .6 of both, else 50 and 50. These bounds are ours.
        """
        no_labels(self.name, options)
        fill = _fill(options.fill)
        return Answers(tuple(self._draft(one, runs, choice, fill) for one in asked))

    def _draft(
        self, asked: Asked, runs: Sequence[Path], choice: Choice, fill: Blend | None
    ) -> Draft:
        clips: tuple[str, ...] = asked.content
        given = answers_to(asked.path.name, clips, runs, choice)
        found = read_each(clips, given, blend_of, FIELDS)
        refuse_missing(asked.path.name, found.absent, fill="")
        if fill is None:
            refuse_unusable(asked.path.name, found.lacking, fill="; --fill neutral (or another emotion) sends what you name, listed in the receipt")  # fmt: skip
        blends = {clip: found.values.get(clip, fill or {}) for clip in clips}
        two = sum(len(blend) == 2 for blend in blends.values())
        notes = [f"{counted(len(clips) - two, 'clip')} with one emotion, {two:,} with two"]
        if found.lacking:
            notes.append(f"filled in {name_rows([one.row for one in found.lacking])}")
        entry = {
            "filled": [{"row": one.row, "clip": one.item, "why": one.why} for one in found.lacking]
        }
        return Draft(asked, _bytes(blends), used(given), entry, tuple(notes))

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Clips, names of emotions and saliences. Warns of saliences that no clip has, and of a collapse."""
        clips: tuple[str, ...] = asked.content
        text = decoded(data)
        if text.unreadable:
            return Findings(name, 0, (text.unreadable,), ())
        try:
            found, doubled = read_clips(text.text, name)
        except HarnessError as error:
            return Findings(name, 0, (error.message,), ())
        faults = [*text.faults, *(f"the clip {clip[:100]!r} appears twice" for clip in doubled)]
        faults += order_faults(list(found), list(clips), what="clip")
        faults = [one for one in faults if "not in the order" not in one]  # an object has no order
        wrong: dict[str, list[int]] = {}
        odd: list[int] = []
        for row, told in enumerate(found.values(), start=1):
            blend, fault = read_blend(told)
            if fault:
                wrong.setdefault(fault, []).append(row)
            elif tuple(sorted(round(one) for one in blend.values())) not in {(100,), (50, 50), (30, 70)}:  # fmt: skip
                odd.append(row)
        faults += [f"{name_rows(rows)}: {fault}" for fault, rows in wrong.items()]
        warnings = []
        if odd:
            warnings.append(f"{name_rows(odd)}: a salience other than 100, 50/50 or 70/30, which no clip has")  # fmt: skip
        return Findings(name, len(found), tuple(faults), (*warnings, *_collapse(found)))

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """ACC_presence of all clips and ACC_salience of blends, as in the challenge's own code.

        `truth` is a JSON file of the same layout, or a table with filename, emotion_1, emotion_2,
        emotion_1_salience and emotion_2_salience. Actors (the part of a clip's name before the first `_`) are
        resampled where names tell them, else clips. Raises HarnessError where it holds none of the clips.
        """
        clips: tuple[str, ...] = asked.content
        right = true_blends(truth)
        found, _ = read_clips(decoded(data).text, "answers")
        said = {clip: read_blend(told)[0] for clip, told in found.items()}
        rows = [clip for clip in clips if clip in right]
        if not rows:
            raise HarnessError(
                f"{truth.name} has no true emotions of a clip of {asked.path.name}",
                hint="clips must be named alike in both files",
            )
        actors = [_actor(clip) for clip in rows]
        blends = [clip for clip in rows if len(right[clip]) == 2]
        figures = [
            mean_of([set(said.get(one, {})) == set(right[one]) for one in rows], actors, "ACC_presence", "presence"),
        ]  # fmt: skip
        if blends:
            hits = [rounded(said.get(one, {})) == rounded(right[one]) for one in blends]
            who = [_actor(clip) for clip in blends]
            figures.append(mean_of(hits, who, "ACC_salience (blends)", "salience"))
        notes = [f"without a truth in {truth.name} and left out: {counted(len(clips) - len(rows), 'clip')}"] if len(rows) < len(clips) else []  # fmt: skip
        known = any(one != clip for one, clip in zip(actors, rows, strict=True))
        return LocalScore(tuple(figures), "actors" if known else "clips", tuple(notes))


def _actor(clip: str) -> str:
    """`A411` of `A411_mix_ang_hap_30_70_ver1`; the clip itself where its name tells no actor."""
    found = re.match(r"[A-Z]\d+(?=_)", clip)
    return found[0] if found else clip


def _fill(given: Sequence[str]) -> Blend | None:
    if not given:
        return None
    if len(given) > 1 or given[0] not in CODES:
        raise HarnessError(
            f"--fill {' '.join(given)!r} is not an emotion of {', '.join(CODES)}",
            hint="name one emotion, such as --fill neutral",
        )
    return {CODES[given[0]]: 100.0}


def _bytes(blends: Mapping[str, Blend]) -> bytes:
    told = {
        clip: [{"emotion": emotion, "salience": salience} for emotion, salience in blend.items()]
        for clip, blend in blends.items()
    }
    return (json.dumps({"predictions": told}, ensure_ascii=False, indent=4) + "\n").encode()


def _collapse(found: Mapping[str, Any]) -> Iterable[str]:
    counted = Counter(json.dumps(told, sort_keys=True)[:200] for told in found.values())
    top = max(counted.values(), default=0)
    if len(found) >= 20 and top >= 0.9 * len(found):
        yield f"the same answer to {top} of {len(found)} clips"


BLEMORE = BlendForm()

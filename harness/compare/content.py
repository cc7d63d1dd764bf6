"""Pair samples by their pictures, for runs with different ids."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import HarnessError, MediaError
from harness.core.sample import Sample
from harness.core.task import Task
from harness.sources import open_source


def content_keys(task: Task, label: str, *, here: Path) -> tuple[Mapping[str, str], str]:
    """Sample id -> digest of its pictures' bytes and its question; and what is to be said of those without one.

    The task's source is read again, `here` being the folder that its paths start at. Samples whose pictures cannot be
    read, and samples with the pictures and question of another, have no key. Raises HarnessError where the source
    cannot be opened, as for a table of answers with truths of its own.
    """
    try:
        samples = open_source(dict(task.source), fields=task.fields, base=here)
        found = {sample.id: _key(sample) for sample in samples}
    except HarnessError as error:
        raise HarnessError(
            f"{label}: its pictures are needed for --by content and cannot be found: "
            f"{error.message}",
            hint="compare on the machine with the data of both runs, or use --by id",
        ) from None
    times = Counter(found.values())
    keys = {name: key for name, key in found.items() if key and times[key] == 1}
    lost, twice = times[""], len(found) - len(keys) - times[""]
    said = [f"{lost:,} samples with pictures that cannot be read"] * bool(lost)
    said += [f"{twice:,} samples with the pictures and question of another"] * bool(twice)
    return keys, f"{label}: not paired by content: {', '.join(said)}" if said else ""


def _key(sample: Sample) -> str:
    """Empty where a picture cannot be read."""
    summary = hashlib.sha256()
    try:
        for picture in sample.medium.frames:
            summary.update(hashlib.sha256(picture.read()).digest())
    except MediaError:
        return ""
    summary.update((sample.question or "").encode("utf-8", "surrogatepass"))
    return summary.hexdigest()

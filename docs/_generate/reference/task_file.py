"""The page on task files."""

from __future__ import annotations

from harness.core.field import FieldSpec
from harness.core.kind import KINDS, kind_named
from harness.core.task import MediaSpec, SpottingSpec, Task

from .markdown import code, page, table
from .members import key_entries

_INTRO = """
# Task file

A task is a YAML file. It says where the samples come from, which fields an answer fills, how each field is scored, and
which prompts suit. The shipped tasks are in the folder `tasks/`. `harness list tasks` lists them. Any value can be
changed on the command line: `--set KEY.PATH=VALUE`.

A task of your own is `DIR/family/name.yaml`, where `DIR` is named by `--tasks DIR` or in
[harness.toml](harness-toml.md). This is a whole one:

```yaml
description: Two moods on a table of pictures.
source:
  family: table
  file: labels.csv
  image: image
  label: mood
  subject: person
fields:
  mood:
    kind: label
    labels: [anger, happiness]
    metrics: [uar, kappa]
prompts: [my/mood]
slices: [gender]
```

A key that is not known is an error, and so is a key that has no effect.
"""


def task_file_page() -> str:
    """Every key of a task file."""
    return page(
        _INTRO,
        "## Keys of a task",
        key_entries(Task),
        "## Keys under `media`",
        key_entries(MediaSpec, prefix="media-"),
        "## Keys of a field",
        "These stand under `fields.NAME`.",
        key_entries(FieldSpec, prefix="field-"),
        "## Kinds of fields",
        "The `kind` of a field says what an answer is, how it is read, and which metrics score it.",
        _kinds(),
        "## Keys under `spotting`",
        key_entries(SpottingSpec, prefix="spotting-"),
    )


def _kinds() -> str:
    rows = []
    for name in KINDS.builtin:
        kind = kind_named(name)
        refused = ", ".join(map(code, kind.unused)) or "none"
        rows.append((code(name), kind.title, ", ".join(map(code, kind.metrics)), refused))
    return table(("kind", "an answer is", "metrics shown by default", "keys without use, refused"), rows)  # fmt: skip

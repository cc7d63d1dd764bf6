"""Sources by family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.registry import Registry
from harness.core.source import Source
from harness.sources.marks import with_marks
from harness.sources.sidecar import with_sidecar

SOURCES = Registry(
    "source",
    "harness.sources",
    {
        "table": "harness.sources.table:open_table_source",
        "folder": "harness.sources.folder:open_folder_source",
        "hf": "harness.sources.hub:open_hub_source",
        "megc-vqa": "harness.sources.megc:open_megc_source",
        "faces": "harness.sources.drawn:open_drawn_source",
        "affectnet": "harness.sources.affectnet:open_affectnet",
        "raf-db": "harness.sources.raf_db:open_raf_db",
        "fer2013": "harness.sources.fer2013:open_fer2013",
        "ferplus": "harness.sources.fer2013:open_ferplus",
        "sfew": "harness.sources.sfew:open_sfew",
        "ck-plus": "harness.sources.ck_plus:open_ck_plus",
        "dfew": "harness.sources.video_emotion:open_dfew",
        "ferv39k": "harness.sources.video_emotion:open_ferv39k",
        "mafw": "harness.sources.video_emotion:open_mafw",
        "aff-wild2": "harness.sources.aff_wild2:open_aff_wild2",
        "disfa": "harness.sources.disfa:open_disfa",
        "casme2": "harness.sources.micro:open_casme2",
        "samm": "harness.sources.micro:open_samm",
        "smic": "harness.sources.micro:open_smic",
        "casme3": "harness.sources.micro:open_casme3",
        "samm-long": "harness.sources.micro_long:open_samm_long",
        "casme-sq": "harness.sources.micro_long:open_casme_sq",
        "megc-str": "harness.sources.micro_long:open_megc_str",
        "utkface": "harness.sources.utkface:open_utkface",
    },
)
"""Family -> a function `(options, *, fields, base) -> Source`; `options` come without `family`."""

_OF_ANY = frozenset({"family", "marks", "sidecar"})
"""Options that every family has."""


def open_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """The source that a task's `source` section describes.

    `family` picks the reader, `sidecar` names a table of further columns (`harness.sources.sidecar`), `marks` one of
    landmarks (`harness.sources.marks`), all other options are the family's own; `base` is the folder that relative
    paths start at. Raises HarnessError naming `source.KEY`, what is allowed, and the hint.
    """
    family = options.get("family")
    if not isinstance(family, str):
        raise HarnessError(
            "source.family: missing", hint=f"choose one of: {', '.join(SOURCES.names())}"
        )
    opener = SOURCES.load(family)
    rest = {key: value for key, value in options.items() if key not in _OF_ANY}
    source: Source = opener(rest, fields=fields, base=base)
    source = with_sidecar(source, options.get("sidecar"), fields=fields, base=base)
    return with_marks(source, options.get("marks"), base=base)

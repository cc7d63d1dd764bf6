"""Sources by family."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, refuse_unused
from harness.core.field import FieldSpec
from harness.core.registry import Listed, Registry, described
from harness.core.source import Source
from harness.sources.labels import with_labels
from harness.sources.marks import AUTO, with_marks
from harness.sources.options import Options
from harness.sources.subset import with_subset

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
        "casme3-long": "harness.sources.micro_long:open_casme3_long",
        "megc-str": "harness.sources.micro_long:open_megc_str",
        "utkface": "harness.sources.utkface:open_utkface",
        "celeba": "harness.sources.celeba:open_celeba",
        "lfw": "harness.sources.verification:open_lfw",
        "cfp": "harness.sources.verification:open_cfp",
        "pair-list": "harness.sources.verification:open_pair_list",
        "emonet-face": "harness.sources.emonet_face:open_emonet_face",
        "blemore": "harness.sources.blemore:open_blemore",
        "stylistic-bias": "harness.sources.stylistic_bias:open_stylistic_bias",
        "mllm-visual-emotion": "harness.sources.mllm_visual_emotion:open_visual_emotion",
        "ferbench": "harness.sources.ferbench:open_ferbench",
        "composite": "harness.sources.composite:open_composite",
    },
    expects=(Callable,),
)
"""Family -> a function `(options, *, fields, base) -> Source`; `options` come without `family`."""

_LINES: Mapping[str, str] = {
    "table": "a CSV, TSV, JSON, Parquet or Arrow table with pictures or clips and their labels",
    "folder": "one folder of pictures per label",
    "hf": "a data set of the `datasets` library, on this machine or by hub id",
    "megc-vqa": "questions about micro-expression clips, in the format of the MEGC challenge",
    "faces": "drawn faces with exact annotations",
    "affectnet": "AffectNet: expression, valence and arousal of web photographs",
    "raf-db": "RAF-DB: basic and compound expressions",
    "fer2013": "FER2013: 48 x 48 grey pictures of faces in a CSV file",
    "ferplus": "FER+: FER2013 with the votes of ten annotators",
    "sfew": "SFEW: still pictures from films",
    "ck-plus": "CK+: posed sequences from neutral to peak",
    "dfew": "DFEW: clips from films",
    "ferv39k": "FERV39k: clips from many scenes",
    "mafw": "MAFW: clips with single and compound expressions",
    "aff-wild2": "Aff-Wild2: video frames with expressions, valence and arousal, or action units",
    "disfa": "DISFA: frames with action-unit intensities",
    "casme2": "CASME II: micro-expression clips",
    "samm": "SAMM: micro-expression clips",
    "smic": "SMIC: micro-expression clips",
    "casme3": "CAS(ME)3: micro-expression clips",
    "samm-long": "SAMM Long Videos: long videos with intervals to spot",
    "casme-sq": "CAS(ME)2: long videos with intervals to spot",
    "casme3-long": "CAS(ME)^3, part A: whole videos with micro- and macro-expressions",
    "megc-str": "long videos of the MEGC spotting and recognition challenge",
    "utkface": "UTKFace: age, gender and race from file names; no emotions",
    "celeba": "CelebA: forty attributes and identities of celebrities",
    "lfw": "LFW: pairs of photographs, same person or not, in ten folds",
    "cfp": "CFP: pairs of frontal and profile photographs in ten folds",
    "pair-list": "a list of pairs, `label path1 path2`, as AgeDB-30, CALFW and CPLFW are packed",
    "emonet-face": "EmoNet-Face: synthetic photoreal faces, 40 emotions, every annotator's ratings",
    "blemore": "BLEMORE: clips of actors with one emotion or a blend of two",
    "stylistic-bias": "StylisticBias: generated faces, and each with one attribute edited",
    "mllm-visual-emotion": "MLLMVisualEmotion: questions with options about emotions in pictures",
    "ferbench": "FERBench: four sets of photographs as questions with their own prompt",
    "composite": "several sources read as one",
}

_OPTIONS: Mapping[str, str] = {
    "table": "table:TableOptions",
    "folder": "folder:FolderOptions",
    "hf": "hub:HubOptions",
    "megc-vqa": "megc:MegcOptions",
    "faces": "drawn:DrawnOptions",
    "affectnet": "affectnet:AffectNetOptions",
    "raf-db": "raf_db:RafOptions",
    "fer2013": "fer2013:FerOptions",
    "ferplus": "fer2013:FerPlusOptions",
    "sfew": "sfew:SfewOptions",
    "ck-plus": "ck_plus:CkOptions",
    "dfew": "video_emotion:DfewOptions",
    "ferv39k": "video_emotion:Ferv39kOptions",
    "mafw": "video_emotion:MafwOptions",
    "aff-wild2": "aff_wild2:AffWildOptions",
    "disfa": "disfa:DisfaOptions",
    "casme2": "micro:MicroOptions",
    "samm": "micro:MicroOptions",
    "smic": "micro:MicroOptions",
    "casme3": "micro:MicroOptions",
    "samm-long": "micro_long:LongOptions",
    "casme-sq": "micro_long:LongOptions",
    "casme3-long": "micro_long:LongOptions",
    "megc-str": "micro_long:LongOptions",
    "utkface": "dataset:DatasetOptions",
    "celeba": "celeba:CelebaOptions",
    "lfw": "verification:LfwOptions",
    "cfp": "verification:CfpOptions",
    "pair-list": "verification:ListOptions",
    "emonet-face": "emonet_face:EmoNetOptions",
    "blemore": "blemore:BlemoreOptions",
    "stylistic-bias": "stylistic_bias:StylisticOptions",
    "mllm-visual-emotion": "mllm_visual_emotion:VisualEmotionOptions",
    "ferbench": "ferbench:FerBenchOptions",
    "composite": "composite:CompositeOptions",
}
"""Family of this package -> the module and class of its options."""

OF_ANY: Mapping[str, str] = {
    "family": "Source family: which reader is used.",
    "labels": "Names of codes: a mapping (`{0: anger, 1: disgust}`) or a known set (`affectnet`). "
    "Drawn faces have a different option with this name.",
    "marks": "Table of landmarks or face boxes: a file, or a mapping with the keys below; `auto` looks for faces that "
    "nothing locates, with the extra `marks`. Drawn faces know where they are, and take no `auto`.",
    "spots": "Intervals that were spotted in long videos, as `--spots` writes them; not for task files.",
    "sidecar": "Table of further truths and annotations, joined by sample: a file, or a mapping "
    "with the keys below.",
    "subset": "Fixed list of samples, written by `harness data subset`: a file.",
}
"""Option that every family has -> what it is."""

_NAMED = frozenset(
    {
        "faces", "affectnet", "raf-db", "fer2013", "ferplus", "ck-plus", "dfew", "mafw", "aff-wild2",
        "samm-long", "casme-sq", "casme3-long", "megc-str", "emonet-face", "blemore", "stylistic-bias",
        "mllm-visual-emotion", "ferbench", "composite",
    }
)  # fmt: skip
"""Families whose readers give labels in one spelling already."""


def describe_sources() -> Iterator[Listed]:
    """Every family with one line about it."""
    return SOURCES.listed(lambda family, opener: _LINES.get(family) or described(opener))


def options_of(family: str) -> type[Options] | None:
    """The options of a family of this package, for lists and the reference; None for one of another package."""
    if family not in _OPTIONS:
        return None
    module, _, name = _OPTIONS[family].partition(":")
    found: type[Options] = getattr(importlib.import_module(f"harness.sources.{module}"), name)
    return found


def open_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """The source that a task's `source` section describes.

    `family` picks the reader, `labels` names codes (`harness.sources.labels`), `sidecar` a table of further columns
    (`harness.sources.sidecar`), `marks` one of landmarks (`harness.sources.marks`), `subset` a frozen list (`harness.sources.subset`), all other options are the
    family's own; `base` is the folder that relative paths start at. Raises HarnessError naming `source.KEY`, what is allowed, and the hint.
    """
    family = options.get("family")
    if not isinstance(family, str):
        raise HarnessError(
            "source.family: missing", hint=f"choose one of: {', '.join(SOURCES.names())}"
        )
    # drawn faces have `labels` of their own
    of_any = set(OF_ANY) - {"labels"} if family == "faces" else set(OF_ANY)
    rest = {key: value for key, value in options.items() if key not in of_any}
    source: Source = SOURCES.make(family, rest, fields=fields, base=base, expects=Source)
    if (spots := options.get("spots")) is not None:
        from harness.sources.spotted import with_spots

        source = with_spots(source, spots, fields=fields, family=family)
    if (sidecar := options.get("sidecar")) is not None:
        from harness.sources.sidecar import with_sidecar

        source = with_sidecar(source, sidecar, fields=fields, base=base)
    refuse_unused(
        "on drawn faces, whose landmarks are exact",
        {"source.marks=auto": family == "faces" and options.get("marks") == AUTO},
    )
    source = with_marks(source, options.get("marks"), base=base)
    names = options.get("labels") if "labels" in of_any else None
    if family not in _NAMED or names is not None or "sidecar" in options:
        keep = options.get("unlabelled") == "keep"
        source = with_labels(source, names, fields=fields, keep=keep)
    return with_subset(source, options.get("subset"), base=base)

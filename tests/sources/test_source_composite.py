"""Several sources as one: the composite of MEGC 2019, and what cannot be put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.sources import open_source

FIELDS = {"coarse": FieldSpec(kind="label", labels="megc-coarse")}


def coding_sheets(root: Path) -> None:
    """Miniature coding sheets of the three sets, as CSV; frames are not needed to read them."""
    for name, text in {
        "casme2/CASME2.csv": "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Estimated Emotion\n"
        "1,EP02_01f,1,2,3,happiness\n2,EP01_01,1,2,3,others\n",
        "samm/SAMM_Micro.csv": "Subject,Filename,Onset Frame,Apex Frame,Offset Frame,Estimated Emotion\n"
        "6,006_1_2,1,2,3,Anger\n",
        "smic/SMIC.csv": "Subject,Filename,OnsetF,OffsetF,FirstF,Emotion\n1,s1_sur_01,1,3,1,surprise\n",
    }.items():
        path = root / name
        path.parent.mkdir()
        path.write_text(text)


def composite(base: Path, *families: str, **more: Any) -> Source:
    sources = [{"family": family, "root": family} for family in families]
    return open_source(
        {"family": "composite", "sources": sources, **more}, fields=FIELDS, base=base
    )


def test_three_sets_are_one(tmp_path: Path) -> None:
    coding_sheets(tmp_path)
    source = composite(tmp_path, "casme2", "samm", "smic")
    samples = list(source)
    assert [(s.cluster, s.targets["coarse"]) for s in samples] == [
        ("casme2/sub01", "positive"), ("samm/006", "negative"), ("smic/s1", "surprise"),
    ]  # fmt: skip
    assert [s.annotations["dataset"] for s in samples] == ["casme2", "samm", "smic"]
    assert sum(one.count for one in source.skipped()) == 1, "others belong to no coarse class"
    assert source.digest() != composite(tmp_path, "samm", "casme2", "smic").digest()


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (("casme2", "casme2"), "is in two of the sources"),
        (("casme2", "nowhere"), r"source.sources.1 \(nowhere\)"),
        (("casme2", "composite"), "cannot hold another composite"),
        (("casme2",), "at least 2"),
    ],
)
def test_what_cannot_be_put_together(
    tmp_path: Path, families: tuple[str, ...], message: str
) -> None:
    coding_sheets(tmp_path)
    with pytest.raises(HarnessError, match=message):
        list(composite(tmp_path, *families))

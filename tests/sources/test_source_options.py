"""Every family says its options, and takes exactly these."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.sources import SOURCES, open_source, options_of

FIELDS = {"emotion": FieldSpec(kind="label", labels=("anger", "joy"))}


@pytest.mark.parametrize("family", SOURCES.builtin)
def test_the_options_that_a_family_states_are_those_that_its_reader_takes(
    family: str, tmp_path: Path
) -> None:
    options = options_of(family)
    assert options is not None
    needed = {
        name: [{"family": "faces"}, {"family": "faces"}] if name == "sources" else "1"
        for name, field in options.model_fields.items()
        if field.is_required()
    }
    asked = {"family": family, "no_such_option": "x", **needed}
    with pytest.raises(HarnessError) as caught:
        open_source(asked, fields=FIELDS, base=tmp_path)
    assert caught.value.message.startswith("source.no_such_option")
    assert caught.value.hint.endswith(", ".join(sorted(options.model_fields)))


def test_a_family_of_another_package_states_none() -> None:
    assert options_of("theirs") is None

"""Small helpers for tests of sources."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.core.source import Source
from harness.sources import open_source

EMOTION = {"emotion": FieldSpec(kind="label")}


@pytest.fixture
def open_table(tmp_path: Path) -> Callable[..., Source]:
    """Write a table under `tmp_path` and open it: open_table(text, name=..., fields=..., **options)."""

    def opened(
        text: str | bytes,
        *,
        name: str = "labels.csv",
        fields: dict[str, FieldSpec] | None = None,
        **options: Any,
    ) -> Source:
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / name).write_bytes(data)
        asked = {"family": "table", "file": name, **options}
        return open_source(asked, fields=fields or EMOTION, base=tmp_path)

    return opened


@pytest.fixture
def samples_of(open_table: Callable[..., Source]) -> Callable[..., list[Sample]]:
    """The samples of a table written by `open_table`."""

    def read(*args: Any, **options: Any) -> list[Sample]:
        return list(open_table(*args, **options))

    return read


@pytest.fixture
def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 4), "teal").save(buffer, "PNG")
    return buffer.getvalue()

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.core.prompt import Rendering

from .desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "prompts"
    folder.mkdir()
    return Desk(folder)


@pytest.fixture
def shown() -> Callable[[Rendering], Sequence[tuple[str, str]]]:
    return lambda rendering: [(m.role, m.text) for m in rendering.messages]

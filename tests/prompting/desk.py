"""A folder of prompts under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.message import Image
from harness.core.prompt import Rendering
from harness.prompting.library import Library

HEAD = "---\nfields: [emotion]\n---\n"


def pictures(count: int) -> tuple[Image, ...]:
    return tuple(Image(f"p{k}", b"picture %d" % k) for k in range(count))


@dataclass
class Desk:
    """A folder of prompts under test. A file `x/y` gets a head unless it brings one."""

    root: Path

    def write(self, name: str, text: str, *, head: str = HEAD) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text, encoding="utf-8")
        return path

    def part(self, name: str, text: str) -> Path:
        return self.write(name, text, head="")

    def library(self) -> Library:
        return Library([self.root])

    def render(
        self,
        text: str,
        *,
        count: int = 1,
        replies: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Rendering:
        self.write("t/p.j2", text)
        library = self.library()
        return library.render(
            library.prompt("t/p"),
            variables=variables,
            pictures=pictures(count),
            replies=replies or {},
        )

    def text(self, text: str, **variables: Any) -> str:
        """The text of the only turn."""
        (message,) = self.render(text, **variables).messages
        return message.text

    def error(self, text: str, **variables: Any) -> HarnessError:
        with pytest.raises(HarnessError) as caught:
            self.render(text, **variables)
        assert caught.value.hint
        return caught.value

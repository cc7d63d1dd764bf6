"""A rendering shared by samples is the rendering each would have had."""

from __future__ import annotations

from pathlib import Path

from harness.core.message import Image
from harness.core.prompt import Rendering
from harness.prompting.library import Library

TEXT = """---
fields: [emotion]
---
{% system %}Read faces.{% endsystem %}
{% user %}{% for frame in frames %}{{ loop.index }}: {{ frame }} {% endfor %}{{ word }}{{ image }}?{% enduser %}
"""


def library(folder: Path) -> Library:
    folder.mkdir(exist_ok=True)
    (folder / "one.j2").write_text(TEXT)
    return Library([folder])


def pictures(*names: str) -> tuple[Image, ...]:
    return tuple(Image(name, name.encode()) for name in names)


def test_each_sample_gets_its_own_pictures_in_their_places(tmp_path: Path) -> None:
    shared, variables = library(tmp_path), {"word": "which"}
    twice = pictures("c")[0]
    for shown in (pictures("a", "b"), (twice, twice), pictures("d", "e"), pictures("f")):
        alone = library(tmp_path).render(
            shared.prompt("one"), variables=dict(variables), pictures=shown
        )
        together = shared.render(shared.prompt("one"), variables=variables, pictures=shown)
        assert together == alone
        found = [p for m in together.messages for p in m.parts if isinstance(p, Image)]
        assert found == [*shown, shown[0]]


def test_other_variables_are_another_rendering(tmp_path: Path) -> None:
    shared, one = library(tmp_path), pictures("a")

    def said(word: object) -> str:
        rendering: Rendering = shared.render(
            shared.prompt("one"), variables={"word": word}, pictures=one
        )
        return rendering.messages[-1].text

    assert [said(word) for word in ("x", "y", 1, True, "x")] == [
        f"1: [image: a] {word}[image: a]?" for word in ("x", "y", "1", "True", "x")
    ]

"""Skin tone measured on pictures: the formula, and its error on drawn faces of known tone."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harness.cli.main import main
from harness.conditions.registry import load_condition
from harness.core.errors import MediaError
from harness.core.marks import Marks
from harness.core.medium import image
from harness.core.picture import Remembered
from harness.faces import draw, face_at
from harness.faces.face import Nuisance
from harness.faces.points import marks_of
from harness.faces.ranges import SKIN_EXPOSURE
from harness.media.decode import decode
from harness.media.skin import group_of, skin_tone, to_lab
from harness.sources.drawn_pictures import DrawnPicture

FIVE = Marks(points=((80, 90), (144, 90), (112, 125), (88, 158), (136, 158)))


def test_lab_is_that_of_published_colours() -> None:
    """White, mid-grey, and the primaries of sRGB under D65 (Lindbloom's calculator, two decimals)."""
    colours = np.array([[1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 0, 1]], dtype=float)
    expected = [[100, 0, 0], [53.39, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert to_lab(colours) == pytest.approx(np.array(expected), abs=0.02)


def test_one_colour_of_skin_gives_its_angle() -> None:
    found = skin_tone(Image.new("RGB", (224, 224), (220, 180, 150)), FIVE)
    lightness, _, yellow = to_lab(np.array([[220, 180, 150]]) / 255)[0]
    assert found.ita == pytest.approx(np.degrees(np.arctan2(lightness - 50, yellow)))
    assert found.group == "light" if found.ita > 41 else "intermediate"


@pytest.mark.parametrize(
    ("ita", "group"),
    [(56, "very-light"), (55, "light"), (41, "intermediate"), (28, "tan"), (10, "brown"), (-30, "dark")],
)  # fmt: skip
def test_groups_have_the_published_limits(ita: float, group: str) -> None:
    assert group_of(ita) == group


def test_too_little_skin_is_told() -> None:
    outside = Marks(points=tuple((x - 500, y) for x, y in FIVE.points))
    with pytest.raises(MediaError, match="too few to measure"):
        skin_tone(Image.new("RGB", (224, 224)), outside)


def test_the_angle_follows_the_tone_in_plain_light_and_less_in_the_dark() -> None:
    tones, plain, dim = [], [], []
    for number in range(14):
        face = replace(face_at(number * 7, seed=11), nuisance=Nuisance())
        medium = image(Remembered(DrawnPicture("x", face, 96)))
        marks = marks_of(face, size=96)
        tones.append(-face.identity.skin_tone)
        for found, name in ((plain, "none"), (dim, "degrade:dark=4")):
            shown = load_condition(name).apply(medium).frames[0].read()
            found.append(skin_tone(decode(shown, name="x"), marks).ita)
    ranks = [np.argsort(np.argsort(values)) for values in (tones, plain, dim)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] >= 0.9
    assert np.corrcoef(ranks[0], ranks[2])[0, 1] < np.corrcoef(ranks[0], ranks[1])[0, 1]
    assert np.median(dim) < np.median(plain) - 30


def test_the_command_writes_a_sidecar_that_a_run_is_sliced_by(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "skin", "faces/emotion", "--limit", "2", "--out", "skin.csv"]) == 0
    assert "2 samples" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "skin.csv").open()))
    assert [row["finding"] for row in rows] == ["measured"] * 2
    assert {row["ita_group"] for row in rows} <= {
        "very-light",
        "light",
        "intermediate",
        "tan",
        "brown",
        "dark",
    }
    assert main(["data", "skin", "faces/emotion", "--limit", "2", "--out", "skin.csv"]) == 2
    assert "already exists" in capsys.readouterr().err


def test_a_sheet_shows_a_picture_of_your_own(tmp_path, capsys) -> None:
    Image.effect_noise((90, 60), 60).convert("RGB").save(tmp_path / "own.jpg")
    out = tmp_path / "sheet.png"
    command = ["data", "sheet", str(tmp_path / "own.jpg"), "--size", "40", "--out", str(out)]
    assert main(command) == 0
    assert "left out: " in capsys.readouterr().out
    assert Image.open(out).size == (6 * 44 + 4, 7 * 60 + 4)
    assert main([*command[:-1], str(tmp_path / "b.png"), "--condition", "degrade:occlude=2"]) == 2
    assert "position of the face is not known" in capsys.readouterr().err


MONK = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""As published (skintone.google)."""
DARK = (8, 9, 10)


@pytest.mark.parametrize("person", [1, 9])
def test_faces_are_drawn_in_the_tones_of_the_scale(person: int) -> None:
    """In plain light: in its order of lightness, and of the three darkest steps each nearest to its own, once the stated
    exposure (portraits are exposed for the face) is taken back."""
    published = to_lab(np.array([list(bytes.fromhex(c)) for c in MONK]) / 255)[:, 0]
    face = replace(face_at(person * 7, seed=3), nuisance=Nuisance())
    drawn = []
    for tone in range(1, 11):
        own = replace(face, identity=replace(face.identity, skin_tone=tone))
        pixels = draw(own, size=96).pixels / SKIN_EXPOSURE[tone - 1]
        plain = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        drawn.append(skin_tone(plain, marks_of(own, size=96)).lightness)
    assert list(np.argsort(drawn)) == list(np.argsort(published))
    for tone in DARK:
        assert np.abs(published - drawn[tone - 1]).argmin() + 1 == tone
        assert drawn[tone - 1] == pytest.approx(published[tone - 1], abs=4)

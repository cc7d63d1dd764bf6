"""Pictures of people: drawn ones, or those of a folder whose people have agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.core.errors import HarnessError
from harness.core.text import counted, digest_bytes
from harness.faces import BASIC_7, Split, draw, face_at
from harness.inversion.basis import Pictures

DRAWN = "drawn"
LEAST_PICTURES = 3
"""Of each person who is scored: one that is attacked, and two others."""
LEAST_WORDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Persons and their pictures, all of one size."""

    names: tuple[str, ...]
    pictures: tuple[Pictures, ...]
    """For each person (m, height, width, 3)."""

    def __len__(self) -> int:
        return len(self.names)

    def every(self) -> Pictures:
        """All pictures, person after person."""
        return np.concatenate(self.pictures)

    def owners(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Whose picture each of `every` is, as a place in `names`."""
        return np.repeat(np.arange(len(self)), [len(held) for held in self.pictures])

    def ordered(self, places: Sequence[int]) -> People:
        """The same people in another order."""
        return People(tuple(self.names[p] for p in places), tuple(self.pictures[p] for p in places))

    def digest(self) -> str:
        """Over names and pixels."""
        return digest_bytes("\n".join(self.names).encode(), *(p.tobytes() for p in self.pictures))


def drawn_people(count: int, *, seed: int, split: Split, size: int, each: int = 7) -> People:
    """`count` drawn people with `each` pictures of at most 7: other expression, pose, light and background."""
    made = [
        np.stack(
            [
                draw(face_at(person * len(BASIC_7) + k, seed=seed, split=split), size=size).pixels
                for k in range(each)
            ]
        )
        for person in range(count)
    ]
    names = tuple(face_at(p * len(BASIC_7), seed=seed, split=split).identity.subject for p in range(count))  # fmt: skip
    return People(names, tuple(made))


def folder_people(folder: Path, *, size: int, least: int) -> People:
    """The people of a folder with one folder for each: `FOLDER/PERSON/PICTURE.jpg`, made `size` pixels square.

    People with fewer than `least` pictures are left out. Raises HarnessError where nobody is left, MediaError for a picture
    that cannot be read.
    """
    from PIL import Image

    from harness.core.picture import FilePicture
    from harness.media.decode import open_picture

    names, pictures = [], []
    for name, paths in _listed(folder):
        if len(paths) >= least:
            shown = [
                open_picture(FilePicture(p)).resize((size, size), Image.Resampling.BICUBIC)
                for p in paths
            ]
            names.append(name)
            pictures.append(np.stack([np.asarray(picture, dtype=np.uint8) for picture in shown]))
    if not names:
        raise HarnessError(
            f"{folder} holds nobody with at least {counted(least, 'picture')}",
            hint="arrange pictures as FOLDER/PERSON/PICTURE.jpg",
        )
    return People(tuple(names), tuple(pictures))


def _listed(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Person -> pictures, in natural order."""
    from harness.sources.folder import walk

    if not folder.is_dir():
        raise HarnessError(f"{folder} is not a folder", hint="arrange pictures as FOLDER/PERSON/PICTURE.jpg")  # fmt: skip
    found: dict[str, list[Path]] = {}
    for one in walk(folder):
        if not one.reason:
            found.setdefault(one.id.split("/", 1)[0], []).append(folder / one.id)
    yield from found.items()


def check_consent(folders: Sequence[Path], statement: str | None) -> None:
    """Refuse pictures that are neither drawn nor declared consented, and a statement that says nothing.

    Raises HarnessError.
    """
    if not folders:
        if statement is not None:
            raise HarnessError(
                "--consented has no effect on drawn faces", hint="leave it out, or name --pictures"
            )
        return
    if statement is None:
        raise HarnessError(
            f"{folders[0]} is not declared consented: a face is rebuilt from it only where the people shown agreed to that",
            hint='add --consented "STATEMENT": who agreed to what, when, and where that is kept; it is kept in the record',
        )
    if len(statement.split()) < LEAST_WORDS:
        raise HarnessError(
            f"--consented {statement!r} says too little",
            hint=f"say in at least {LEAST_WORDS} words who agreed to what, when, and where that is kept",
        )


def check_apart(victims: People, basis: People) -> None:
    """Refuse a basis that holds pictures of the people who are attacked, by name or by pixels.

    Raises HarnessError.
    """
    shared = sorted(set(victims.names) & set(basis.names))
    if not shared:
        known = {picture.tobytes(): name for name, held in zip(basis.names, basis.pictures, strict=True) for picture in held}  # fmt: skip
        shared = [
            f"{name} (as {known[picture.tobytes()]})"
            for name, held in zip(victims.names, victims.pictures, strict=True)
            for picture in held
            if picture.tobytes() in known
        ]
    if shared:
        raise HarnessError(
            f"{shared[0]} is among the pictures and in the basis: the attacker would know the face beforehand",
            hint="make the basis of other people",
        )

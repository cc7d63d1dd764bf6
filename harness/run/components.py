"""Networks of others that a run may use: what each is for, its version, its licence, and what that forbids."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """Weights made elsewhere."""

    name: str
    purpose: str
    weights: str
    """Where they came from."""
    licence: str
    restriction: str
    """What may not be done with it, or that nothing is known to be forbidden."""
    extra: str
    """The extra whose packages it needs."""
    packages: Sequence[str]
    """Those packages, by the names under which they are installed."""

    def version(self) -> str | None:
        """The installed packages with their versions; None where one is missing."""
        try:
            return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in self.packages)
        except importlib.metadata.PackageNotFoundError:
            return None

    def said(self, version: str) -> str:
        """One line about it."""
        return (
            f"{self.name} ({self.purpose}): {version}; weights {self.weights}; {self.licence}; "
            f"{self.restriction}"
        )


COMPONENTS = (
    Component(
        "BlazeFace short range",
        "face boxes",
        "3bc182eb of MediaPipe, shipped here",
        "Apache-2.0",
        "no restriction of use",
        "marks",
        ("ai-edge-litert",),
    ),
    Component(
        "FaceMesh",
        "468 points, of which 68 and 5 landmarks",
        "2efcb4f4 of MediaPipe, shipped here",
        "Apache-2.0",
        "no restriction of use",
        "marks",
        ("ai-edge-litert",),
    ),
    Component(
        "specialist:fer",
        "seven emotions from a face",
        "of fer 25.10.3, converted, shipped here",
        "MIT",
        "trained on FER2013, pictures found on the web",
        "local",
        ("torch",),
    ),
    Component(
        "dlib ResNet",
        "128 numbers a face, for verification",
        "of face-recognition-models",
        "CC0 by its maker",
        "trained on web pictures of people; see docs/privacy.md before you identify anybody",
        "dlib",
        ("dlib-bin", "face-recognition-models"),
    ),
    Component(
        "dlib 68 landmarks",
        "come with the same package and are not used here",
        "of face-recognition-models",
        "CC0 by its packager",
        "NOT FOR COMMERCIAL USE: trained on iBUG 300-W, whose licence excludes it",
        "dlib",
        ("dlib-bin", "face-recognition-models"),
    ),
)
"""In the order of `harness doctor`."""

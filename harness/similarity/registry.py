"""Find recognisers by their name: `similarity:tiny`, `similarity:clip:PATH`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.core.errors import HarnessError
from harness.core.registry import Listed, Registry
from harness.similarity.recogniser import Recogniser

PREFIX = "similarity"
RECOGNISERS = Registry(
    "recogniser",
    "harness.recognisers",
    {
        "tiny": "harness.similarity.tiny:open_tiny",
        "dlib": "harness.similarity.dlib:open_dlib",
        "clip": "harness.similarity.clip:open_clip",
        "http": "harness.similarity.service:open_service",
    },
    expects=(Callable,),
)
_FORMS = (
    ("tiny", "similarity:tiny", "the built-in encoder of persons, for drawn faces alone"),
    ("dlib", "similarity:dlib", "dlib's ResNet of 2017 for photographs (extra dlib)"),
    ("clip", "similarity:clip:PATH", "the picture features of a CLIP or SigLIP; they are of no face recogniser"),
    ("http", "similarity:http://127.0.0.1:PORT/PATH", "a service on this machine that gives scores"),
)  # fmt: skip


class Opener(Protocol):
    """What an entry point of the group `harness.recognisers` names: it opens what stands after the colon."""

    def __call__(self, argument: str, *, name: str) -> Recogniser: ...


def open_recogniser(spec: str) -> Recogniser:
    """The recogniser that `spec` names, with `similarity:` before it or without.

    Raises HarnessError for an unknown name, an absent file or package, and a service that is not on this machine.
    """
    written = spec.strip().removeprefix(f"{PREFIX}:")
    kind, _, argument = written.partition(":")
    if kind in {"http", "https"}:
        kind, argument = "http", written
    if kind not in RECOGNISERS.names():
        raise HarnessError(f"unknown recogniser {spec!r}", hint=_choices())
    found: Recogniser = RECOGNISERS.make(
        kind, argument.strip(), name=f"{PREFIX}:{written}", expects=Recogniser
    )
    return found


def describe_recognisers() -> list[Listed]:
    """Every recogniser as it is written, with one line; those of other packages too."""
    known = {name for name, _, _ in _FORMS}
    return [
        *(Listed(form, line) for _, form, line in _FORMS),
        *RECOGNISERS.listed(without=known),
    ]


def _choices() -> str:
    rows = "\n".join(f"    {one.name:44}{one.line}" for one in describe_recognisers())
    return f"write one of:\n{rows}"

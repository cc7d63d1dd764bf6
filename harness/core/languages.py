"""The languages that replies are read in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "zh": "Chinese",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
}
"""ISO 639-1 code -> English name."""


def known_languages(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes, each once. Raises ValueError naming one that no lexicon has."""
    found = tuple(dict.fromkeys(codes))
    for code in found:
        if code not in LANGUAGES:
            raise ValueError(
                f"languages: {code!r} is not supported; choose from {', '.join(LANGUAGES)}"
            )
    return found

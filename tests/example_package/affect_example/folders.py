"""Folders of the example package, for entry points that name an attribute."""

from __future__ import annotations

from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"

"""Prompts: a sandboxed template engine, the library of prompt files, and lint."""

from __future__ import annotations

from harness.prompting.library import Library, shipped_folder
from harness.prompting.lint import Finding, lint
from harness.prompting.variables import (
    PROMPT_VARIABLES,
    example_variables,
    field_variables,
    made_up_examples,
)

__all__ = [
    "PROMPT_VARIABLES",
    "Finding",
    "Library",
    "example_variables",
    "field_variables",
    "lint",
    "made_up_examples",
    "shipped_folder",
]

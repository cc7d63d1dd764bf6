"""Prompts: a sandboxed template engine, the library of prompt files, and lint."""

from __future__ import annotations

from harness.prompting.library import Library, shipped_folder
from harness.prompting.lint import Finding, lint
from harness.prompting.variables import PROMPT_VARIABLES, field_variables

__all__ = ["PROMPT_VARIABLES", "Finding", "Library", "field_variables", "lint", "shipped_folder"]

"""Reading answers: label vocabularies and parsers that never guess."""

from __future__ import annotations

from harness.answers.majority import majority
from harness.answers.reader import PARSER_VERSION, Reader, read, read_all
from harness.answers.value_reader import ValueReader
from harness.answers.verdict import Form
from harness.answers.vocabulary import (
    VOCABULARIES,
    canonical,
    canonicaliser,
    definitions,
    describe_labels,
    resolve_labels,
    usual_name,
)

__all__ = [
    "PARSER_VERSION",
    "VOCABULARIES",
    "Form",
    "Reader",
    "ValueReader",
    "canonical",
    "canonicaliser",
    "definitions",
    "describe_labels",
    "majority",
    "read",
    "read_all",
    "resolve_labels",
    "usual_name",
]

"""Annotations of pictures that were edited from one another: which picture they come from, and what was changed."""

from __future__ import annotations

BASE_FACE = "base_face"
"""What the unedited picture and all its edits share."""
EDIT = "edit"
"""The attribute that was edited; empty for the unedited picture."""
EDIT_VALUE = "edit_value"
"""What it was edited to; empty for the unedited picture."""
UNEDITED = "unedited"
EDITED = "edited"

"""Errors of a prompt, before and after their place is known."""

from __future__ import annotations

from harness.core.errors import HarnessError


class PromptFault(Exception):
    """Raised inside a rendering, where the line is not known yet; never leaves the room."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class PromptError(HarnessError):
    """A prompt file is wrong: which file, which line, what, and the hint."""

    def __init__(self, file: str, line: int, message: str, *, hint: str) -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{place}: {message}", hint=hint)
        self.file = file
        self.line = line
        """From 1; 0 where no line is to blame."""
        self.fault = message

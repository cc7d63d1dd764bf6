"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

from tests.example import example, example_here, installed

__all__ = ["example", "example_here", "installed"]

# A busy machine is no fault of the code: what must be quick is measured by itself, in processor time.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

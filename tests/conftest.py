"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no fault of the code: what must be quick is measured by itself, in processor time.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

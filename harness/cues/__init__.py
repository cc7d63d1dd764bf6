"""Introspection audited: what a model says it saw, what its judgement follows from, what truly moves it."""

from harness.cues.audit import Audit, audit
from harness.cues.interventions import Effects, causes, region_reliance
from harness.cues.sheet import Sheet, read_sheets

__all__ = ["Audit", "Effects", "Sheet", "audit", "causes", "read_sheets", "region_reliance"]

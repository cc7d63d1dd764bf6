"""Introspection audited: what a model says it saw, what its judgement follows from, what truly moves it."""

from harness.cues.audit import Audit, audit
from harness.cues.interventions import Effects, causes, region_reliance
from harness.cues.sheet import AnswerSheet, read_sheets

__all__ = ["AnswerSheet", "Audit", "Effects", "audit", "causes", "read_sheets", "region_reliance"]

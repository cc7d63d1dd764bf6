"""The cue audit: which cues a model reports, which its judgement follows, and which change its answers."""

from harness.cues.audit import Audit, audit
from harness.cues.interventions import Effects, causes, region_reliance
from harness.cues.sheet import AnswerSheet, read_sheets

__all__ = ["AnswerSheet", "Audit", "Effects", "audit", "causes", "read_sheets", "region_reliance"]

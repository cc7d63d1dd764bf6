"""Tests of cue audits."""

"""Measure what a run costs besides the model: the client, sweeps of prompts, scoring, very many samples."""

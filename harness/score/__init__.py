"""Turn a run folder into records and score tables. Needs no model and no network; the output is deterministic."""

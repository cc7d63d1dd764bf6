"""Named, deterministic changes to what a model is shown."""

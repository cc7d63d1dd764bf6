"""Answers made elsewhere, brought into a run folder: files of predictions and logs of other tools."""

"""Import answers from other tools into a run folder: files of predictions and logs."""

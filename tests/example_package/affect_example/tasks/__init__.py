"""The folder of the tasks."""

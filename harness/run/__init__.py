"""Plan, execute, journal, manifest: from task files to a folder of replies."""

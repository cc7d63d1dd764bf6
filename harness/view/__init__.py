"""All runs of a folder on a page of this machine: `harness view`."""

"""The pages on the run folder and on harness.toml."""

from __future__ import annotations

from harness.run.files import RUN_FILES
from harness.run.workspace import CONFIG_NAME, ConfigFile

from .markdown import code, page, table
from .members import key_entries

_RUN_FOLDER = """
# Run folder

A run is a folder. `--out DIR` names it; without that it is a new folder under `results/runs/`. The folder holds all
that later commands need. `score`, `compare`, `cues`, `report`, `export` and `submit` read it. They need no model, no GPU
and no network, and give the same bytes each time.

A line of a log is written whole or not at all, and is never changed. One process at a time writes a folder. A run can
be stopped at any time, by Ctrl-C or `kill -9`: the same command goes on where it stopped.
"""

_AFTER = """
## What may leave your machine

`private/` holds paths, targets and annotations. Replies and rendered prompts in the logs may hold what your data hold.
To pass a run on, use `harness export RUN`: it leaves out pictures, paths, ids and questions. See
[Privacy and law](../privacy.md).
"""

_TOML = f"""
# {CONFIG_NAME}

`{CONFIG_NAME}` lies in the folder where you work. It names your own folders and the places of your data, so that
commands stay short and task files need no paths. The file is optional.

```toml
prompts = "my-prompts"
tasks = ["my-tasks"]

[data]
affectnet = "/data/AffectNet"
```

With this file, `source.root: ${{data.affectnet}}` in a task file means `/data/AffectNet`. Folders of yours are searched
before the shipped ones.
"""


def run_folder_page() -> str:
    """Every file of a run folder."""
    rows = [(code(one.name), one.holds, one.written) for one in RUN_FILES]
    return page(_RUN_FOLDER, "## Files", table(("file", "what it holds", "written"), rows), _AFTER)


def harness_toml_page() -> str:
    """Every key of harness.toml."""
    return page(_TOML, "## Keys", key_entries(ConfigFile))

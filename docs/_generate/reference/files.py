"""The pages on the run folder and on harness.toml."""

from __future__ import annotations

from harness.core.price import Price
from harness.enhancers.settings import EnhancerSettings
from harness.models.settings import ModelSampling, ModelSettings
from harness.run.config_file import ConfigFile
from harness.run.files import RUN_FILES
from harness.run.workspace import CONFIG_NAME
from harness.score.analysis import describe_analyses
from harness.score.records import COLUMN_LINES
from harness.score.table import ScoreRow

from .markdown import code, entry, page, prose, table
from .members import docstrings, key_entries

_RUN_FOLDER = """
# Run folder

A run is a folder. `--out DIR` names it; without that it is a new folder under `results/runs/`. The folder holds all
that later commands need. `score`, `compare`, `cues`, `report`, `export` and `submit` read it. They need no model, no GPU
and no network, and give the same bytes each time.

A line of a log is written whole or not at all, and is never changed. One process at a time writes a folder. A run can
be stopped at any time, by Ctrl-C or `kill -9`: run the same command again to continue.
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

_MODELS = """
## Models

A table `[models.NAME]` describes a model, which `--model NAME` then asks. From Python the same keys go into
`harness.ModelSettings`, or into a dict: `harness.evaluate(..., model={"model": "vllm:...", "thinking": "off"})`.

```toml
[models.qwen]
model = "openai:Qwen/Qwen3-VL-8B@https://gpu.example.org/v1"
display_name = "Qwen3-VL (8B)"
key_env = "GPU_KEY"
sampling = {temperature = 0.7, top_p = 0.8, top_k = 20}
price = {input = 0.2, output = 0.6}

[models.gpt]
model = "openai:chat@https://mine.openai.azure.com/openai/deployments/chat"
query = {api-version = "2025-04-01-preview"}
key_file = "azure.key"
```

A key goes to the host of its own model and to no other, and no redirect is followed. `OPENAI_API_KEY` and `--key-file`
name no host: where several hosts without a key of their own are asked, that is an error.
"""


_ENHANCERS = """
## Endpoints that enhance pictures

A table `[enhancers.NAME]` describes one, which `--condition enhance:NAME` then asks
([Degraded pictures](../jobs/degraded.md)).

```toml
[enhancers.gfpgan]
url = "http://127.0.0.1:9000/enhance"
```
"""


_SCORES = """
## Score rows

`scores.json` holds them under `scores`, and so does `--json`. `Run.scores()` gives them as a DataFrame. One row is one
number. Beside them stand the rows of the [analyses](analyses.md), the counts of outcomes and the confusion counts.
"""

_RECORDS = """
## Columns of records.parquet

One row for each trial and field. `Run.records()` gives them as a DataFrame, with values instead of JSON. Trials that
are not finished have no row.
"""

_ANALYSES = """
# Analyses

An analysis works out something from the answers to one task, besides the scores of its fields. Each runs where it
applies; nothing has to be asked for. Its rows stand in `scores.json`, and what it has to tell stands in the report.
`harness list analyses` lists also those of other packages. [How to write one](../extend/analysis.md).
"""


def run_folder_page() -> str:
    """Every file of a run folder, and the columns of the two that others read."""
    files = [entry(one.name, f"written {one.written}", one.holds) for one in RUN_FILES]
    told = docstrings(ScoreRow)
    scores = [(code(name), prose(told[name])) for name in ScoreRow.__dataclass_fields__]
    records = [(code(name), prose(line)) for name, line in COLUMN_LINES.items()]
    return page(
        _RUN_FOLDER,
        "## Files",
        *files,
        _SCORES,
        table(("key", "what it is"), scores),
        _RECORDS,
        table(("column", "what it is"), records),
        _AFTER,
    )


def analyses_page() -> str:
    """Every analysis of this package."""
    listed = [one for one in describe_analyses() if not one.package]
    return page(
        _ANALYSES,
        table(("analysis", "what it tells"), [(code(o.name), prose(o.line)) for o in listed]),
    )


def harness_toml_page() -> str:
    """Every key of harness.toml."""
    return page(
        _TOML, "## Keys", key_entries(ConfigFile), _MODELS, "## Keys of a model", key_entries(ModelSettings),
        "## Keys of `sampling`", key_entries(ModelSampling), "## Keys of `price`", key_entries(Price),
        _ENHANCERS, "## Keys of an enhancer", key_entries(EnhancerSettings),
    )  # fmt: skip

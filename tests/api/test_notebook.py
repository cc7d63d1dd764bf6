"""The notebook in docs/ runs from top to bottom in a real kernel, and is kept without outputs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs() -> None:
    assert cells()
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells())


@pytest.mark.slow
def test_it_runs_and_shows_tables_and_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    kernels = tmp_path / "data" / "kernels" / "this"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "this", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=240, kernel_name="this", resources={"metadata": {"path": str(work)}}
    )
    client.execute()
    by_source = {
        cell["source"]: cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"
    }
    (evaluated,) = [found for source, found in by_source.items() if source.startswith("source = ")]
    shown = [o["data"]["text/plain"] for o in evaluated if o["output_type"] == "display_data"]
    assert shown == [next(line for line in shown if line.startswith("56 of 56 trials (100%)"))]
    (table,) = [o["data"]["text/html"] for o in evaluated if o["output_type"] == "execute_result"]
    assert "UAR" in table
    (drawn,) = [found for source, found in by_source.items() if source.startswith("harness.draw(")]
    assert "image/png" in drawn[0]["data"]
    (mine,) = [found for source, found in by_source.items() if "aevaluate" in source]
    assert any("cheerful" in o.get("data", {}).get("text/html", "") for o in mine)
    (wrong,) = [found for source, found in by_source.items() if source.startswith("try:")]
    assert "did you mean uar?" in wrong[0]["text"]
    assert (work / "report.html").is_file()

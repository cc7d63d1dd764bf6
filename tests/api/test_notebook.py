"""The notebook in docs/ runs from top to bottom in a real kernel, and is kept without outputs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def _kernel_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel called `this`, with the Python and the code of the test."""
    kernels = tmp_path / "data" / "kernels" / "this"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "this", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


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

    _kernel_here(tmp_path, monkeypatch)
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


SLOW = """
import asyncio
import harness
from harness.core.generation import Generation
from harness.core.model import Card

class Slow:
    card = Card(name="slow", identity="slow-1", window=4)
    asked, most = 0, 8

    async def reply(self, request):
        Slow.asked += 1
        await asyncio.sleep(0.3 if Slow.asked <= Slow.most else 600)
        return Generation(request.key, "anger", "stop")

    async def close(self):
        pass

harness.draw(28, seed=3, out="faces")
options = {"model": Slow(), "source": {"file": "faces/annotations.parquet", "image": "image", "label": "emotion"}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", ["harness.evaluate", "await harness.aevaluate"])
def test_an_interrupted_cell_keeps_what_was_finished(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_client.manager import start_new_kernel

    _kernel_here(tmp_path, monkeypatch)
    manager, client = start_new_kernel(kernel_name="this", cwd=str(tmp_path))

    def run(code: str, *, interrupt: bool = False) -> str:
        """What a cell shows; it is interrupted once a trial is finished."""
        asked, shown, waiting = client.execute(code), [], interrupt
        while True:
            message = client.get_iopub_msg(timeout=60)
            content = message["content"]
            shown.append(
                content.get("text")
                or content.get("data", {}).get("text/plain")
                or content.get("ename", "")
            )
            if waiting and message["msg_type"] == "update_display_data":
                manager.interrupt_kernel()
                waiting = False
            if (
                message["parent_header"].get("msg_id") == asked
                and content.get("execution_state") == "idle"
            ):
                return "\n".join(shown)

    try:
        run(SLOW)
        told = run(f"{call}('table/emotion', out='run', **options)", interrupt=True)
        assert told.split()[-1] in {"Interrupted", "CancelledError"}, (
            "the first is a KeyboardInterrupt"
        )
        done = int(run("print(int(harness.open_run('run').cells()['done'].sum()))").split()[-1])
        assert 0 < done < 28
        run("Slow.most = 1000")
        assert f"{28 - done} requests, {done} already done" in run(
            f"{call}('table/emotion', out='run', **options)"
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

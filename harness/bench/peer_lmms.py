"""lmms-eval over a table of pictures, in its own environment: URL MODEL TABLE IN_FLIGHT LOG_FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

TASK = """\
task: bench_faces
dataset_path: csv
dataset_kwargs: {data_files: {test: "TABLE"}}
test_split: test
output_type: generate_until
doc_to_visual: !function bench_faces.visual
doc_to_text: !function bench_faces.text
doc_to_target: emotion
process_results: !function bench_faces.results
generation_kwargs: {max_new_tokens: 16, temperature: 0, do_sample: false}
metric_list:
  - {metric: right, aggregation: mean, higher_is_better: true}
"""
CODE = """\
from pathlib import Path
from PIL import Image

ROOT = Path("ROOT_FOLDER")
PROMPT = (
    "Look at the face in the image. Which one of these emotions does it show: anger, disgust, fear, "
    "happiness, sadness, surprise, neutral? Answer with one word."
)

def visual(doc):
    return [Image.open(ROOT / doc["image"]).convert("RGB")]

def text(doc, lmms_eval_specific_kwargs=None):
    return PROMPT

def results(doc, replies):
    return {"right": float(replies[0].strip().lower() == doc["emotion"])}
"""
"""The tool takes a task as YAML with Python beside it."""


def main() -> None:
    """Ask and score every row with the tool's own means, at its cheapest settings."""
    url, name, table, in_flight, place = sys.argv[1:]
    folder = Path(place)
    folder.mkdir(parents=True)
    (folder / "bench_faces.yaml").write_text(TASK.replace("TABLE", table), encoding="utf-8")
    code = CODE.replace("ROOT_FOLDER", str(Path(table).parent))
    (folder / "bench_faces.py").write_text(code, encoding="utf-8")
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.tasks import TaskManager

    done = simple_evaluate(
        model="openai",
        model_args=f"model={name},base_url={url},num_concurrent={in_flight}",
        tasks=["bench_faces"],
        task_manager=TaskManager("ERROR", include_path=str(folder), include_defaults=False),
        batch_size=1,
        bootstrap_iters=0,
        verbosity="ERROR",
    )
    sys.exit(0 if done and "bench_faces" in done["results"] else 1)


if __name__ == "__main__":
    main()

"""The files of a run folder: their content, and when they are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file, or several that are named alike."""

    name: str
    """Its path inside the run folder; `*` stands for any text."""
    holds: str
    written: str
    """By which command, or when."""


RUN_FILES: tuple[RunFile, ...] = (
    RunFile(
        "manifest.json",
        "The tasks with their labels, prompt sources and digests, model identities, cells, versions, the state of git, "
        "hardware and seeds. Keys and passwords are removed.",
        "at each start",
    ),
    RunFile("history.jsonl", "One line for each start of the run.", "at each start, appended"),
    RunFile(
        "openings.jsonl",
        "One line for each time that the report samples were used after a choice of prompts (`select`).",
        "when they are asked, appended",
    ),
    RunFile("plan.parquet", "Every trial: one row for each cell, sample and repeat.", "at each start"),
    RunFile(
        "generations.jsonl",
        "One line for each reply: its text, its reasoning, token counts, finish reason and latency. Failed requests "
        "are not kept here. A reply taken from another run folder (`--reuse`) names it under `reused`.",
        "while the run asks, appended",
    ),
    RunFile(
        "conversations.jsonl",
        "Each rendered conversation once. Pictures are written as `[image N]`, videos as `[video N]`.",
        "while the run asks, appended",
    ),
    RunFile(
        "trials.jsonl",
        "For each finished trial which replies it has and what was done to its pictures, or its failure. The last line "
        "of a trial counts.",
        "while the run asks, appended",
    ),
    RunFile(
        "private/samples/*.parquet",
        "One file for each task: targets, annotations and the paths of pictures. Never exported.",
        "at each start",
    ),
    RunFile(
        "private/fit_on.json",
        "The label counts of the data that the baselines are fitted on.",
        "at each start with `--fit-on`",
    ),
    RunFile(
        "private/answers.csv",
        "The answers of a trained baseline with its folds and training subjects. Never exported.",
        "by `harness baseline`",
    ),
    RunFile(
        "private/stamps.bin",
        "Digests of finished trials with the size and time of their picture files, so that the next start renders only what "
        "has changed. It may be deleted.",
        "while the run asks, appended",
    ),
    RunFile(
        "private/planned.json",
        "What samples and plan were made of, so that the next start reads a table again only where it has changed. It may be "
        "deleted.",
        "at each start",
    ),
    RunFile(
        "private/index/*.bin",
        "For each line of a log what the next start needs of it, with digests of the log, so that only new lines are read. "
        "They may be deleted.",
        "while the run asks, appended",
    ),
    RunFile(
        "private/gone.json",
        "Ids of asked samples that the source no longer has.",
        "at each start, where there are any",
    ),
    RunFile(
        "private/scoring/*",
        "Changes to how the run is scored: settings, corrected truths.",
        "by `harness score` with `--set`, `--truths` or `--refresh`",
    ),
    RunFile(
        "private/enhanced/*",
        "With `enhance:NAME` of an endpoint, the pictures that it gave back, by a digest of its identity and of the picture "
        "that was sent; `asked.jsonl` has a line for each. Never exported.",
        "while the run asks",
    ),
    RunFile(
        "private/batches/batches.jsonl",
        "With `--batch`, each batch: the names of its requests, the id that the service gave it, how it ended, how many "
        "replies came and how many are missing.",
        "while the run asks, appended",
    ),
    RunFile(
        "private/batches/*.jsonl",
        "The requests of each batch until it has ended (with pictures), and its results as they came.",
        "while the run asks",
    ),
    RunFile(
        "records.parquet",
        "One row for each trial and field: the true value, the answer or the reason why there is none, the rule that "
        "decided, the text. Sorted, without timings.",
        "by `harness score`",
    ),
    RunFile(
        "scores.json",
        "Score rows, counts of outcomes, confusion counts and the rows of every analysis.",
        "by `harness score`",
    ),
    RunFile(
        "again.jsonl",
        "Replies to finished trials that were asked again. They do not change scores.",
        "appended, with `--again`",
    ),
    RunFile(
        "extras.json",
        "Reported next to the scores: tokens, pictures, seconds and money of the replies of each cell, and how many "
        "answers changed where trials were asked again.",
        "by `harness score`",
    ),
    RunFile("report.html", "The report page, in one file.", "by `harness run` and `harness report`"),
    RunFile(
        "private/report-with-pictures.html",
        "The report page with small pictures of the data set.",
        "by `harness report --with-pictures`",
    ),
    RunFile("report.md", "The tables of the report.", "by `harness report --format markdown`"),
    RunFile("report.json", "The same with unrounded values.", "by `harness report --format json`"),
    RunFile("cues.html", "The page of the cue audit.", "by `harness cues`"),
    RunFile("notes.json", "Your notes and tags. Never exported.", "on the page of `harness view`"),
    RunFile("vllm.log", "Output of a vLLM server that the run started.", "while it runs"),
    RunFile(
        "replicas.jsonl",
        "With `--replicas`, where each replica runs, how it stands and how many replies it has given.",
        "while it runs, appended",
    ),
    RunFile("replicas.log", "Output of replicas on this machine.", "while it runs"),
    RunFile(".lock", "Held by the one process that writes the folder.", "while a command writes"),
    RunFile(
        ".*.unfinished-*",
        "Unfinished files of a running command. The next command removes what "
        "a killed one left.",
        "while a command works",
    ),
)  # fmt: skip

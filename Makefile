# Two commands: `make demo` shows the instrument at work, `make test` proves it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
DEMO := results/demo
VLLM := .venv-vllm

.PHONY: locked lock bench demo docs affect-tiny-report test test-vllm lint types fast slow clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[local]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.demo
	$(PIP) install -c constraints.txt -e '.[local,langchain,dev]'
	$(PIP) install --no-deps confidenceinterval==1.0.5 # an oracle that asks for another setuptools than torch
	touch $@

# What .ci/run installs: every package by its digest, torch as people choose it, then this one.
locked: | $(BIN)/python
	$(PIP) install -c constraints.txt torch
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	$(PIP) install --no-deps -e .
	touch $(VENV)/.demo $(VENV)/.dev

# requirements.lock anew, after constraints.txt was changed.
lock: | $(BIN)/python
	$(BIN)/python .ci/lock.py

# Four tasks on drawn faces through the embedded model, and again with the picture hidden.
demo: $(VENV)/.demo
	$(BIN)/harness run faces/emotion faces/me-vqa faces/me-str faces/cues --model affect-tiny \
	  --condition none --condition blank --out $(DEMO)

# The documentation, into build/docs; a warning is an error. The variable silences a notice about MkDocs 2.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# Every prompt on the drawn tasks, shown and blank, clips also as contact sheets; writes the tables of the model card.
affect-tiny-report: $(VENV)/.demo
	$(BIN)/harness run faces/emotion faces/me-vqa faces/cues faces/affect faces/units faces/me-str \
	  --model affect-tiny --prompt all --condition none --condition blank --out results/runs/affect-tiny
	$(BIN)/harness run faces/me-vqa --model affect-tiny --prompt vqa/plain --prompt vqa/structured \
	  --condition contact-sheet --out results/runs/affect-tiny-sheets
	$(BIN)/python results/benchmarks/affect_tiny.py results/runs/affect-tiny results/runs/affect-tiny-sheets

test: lint types fast slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/harness lint

types: $(VENV)/.dev
	$(BIN)/mypy

# Tests of one file stay in one worker, so that what a file sets up is set up once. Slow tests time and kill: one worker.
WORKERS ?= 2

# Everything that needs no model, browser or kill; then what does.
fast: $(VENV)/.dev
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m 'not slow and not vllm and not bench' --durations=10 --cov --cov-report=

slow: $(VENV)/.dev
	$(BIN)/pytest -m 'slow and not vllm and not bench' --durations=10 --cov --cov-append --cov-report=term

# What takes long and is no gate: full simulations, trainings, kills at random moments. One small seeded instance of
# each is in `make test`.
bench: $(VENV)/.dev
	$(BIN)/pytest -m bench --timeout 3600 --durations=10

# A real vLLM on the processor, in an environment of its own (2 GB): servers started, killed, started again.
test-vllm: $(VENV)/.dev
	$(BIN)/python tests/vllm/env/install.py $(VLLM)
	$(BIN)/pytest tests/vllm --vllm-python $(VLLM)/bin/python

clean:
	rm -rf $(VENV) $(VLLM) $(DEMO) .coverage .mypy_cache .ruff_cache .hypothesis .import_linter_cache

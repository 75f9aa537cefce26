PYTHON ?= $(shell command -v python3.11 || command -v python3)
DATA ?= ../shared/data
TRIALS ?= 5
BIN := .venv/bin
STAMP := .venv/setup.stamp

.DEFAULT_GOAL := help
.PHONY: help setup demo test real check bench torture lock

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(STAMP) ## Build .venv with the command headrace

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit("Python 3.11 is needed, this is %d.%d; name it by PYTHON=..." % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	$(BIN)/python -m ops.embedded.prefetch
	@touch $@

demo: setup ## Run the hub on the invented workshop and show its views
	$(BIN)/headrace demo

test: setup ## Run the tests
	$(BIN)/python -m pytest

real: setup ## Compare the figures of real records with what is expected (DATA=folder)
	$(BIN)/python -m tests.real --data $(DATA)

check: setup ## Lint, format, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## Measure speed, latency and memory; writes benchmarks/latest.json
	$(BIN)/python -m benchmarks.run

torture: setup ## Many trials of every fault (TRIALS=n)
	$(BIN)/python -m tests.torture --trials $(TRIALS)

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command 'make lock' -o requirements.lock

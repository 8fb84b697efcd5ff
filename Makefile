# Liuzhuan's commands. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
WORKERS ?= 2
TARGET ?= feel
SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help serve test check fix bench fuzz faults docs lock clean install install-dev assets

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: install assets ## the product on an embedded database, with the three processes and demo accounts (PORT, HOST)
	@$(BIN)/liuzhuan serve --demo

test: install-dev assets .venv/clients ## all tests, browser tests and Camunda's client libraries included
	@$(RUN) tests/provide_browser.py
	$(RUN) -m pytest -n $(WORKERS) --dist loadgroup

check: install-dev assets ## ruff, strict mypy, import contracts, templates, translations, BPMN lint, rules → elements → scenarios
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(RUN) -m webui.lint
	$(RUN) -m webui.build_assets --lint processes
	$(BIN)/liuzhuan check processes forms
	$(RUN) -m engine.scenarios.rules --check processes

fix: install-dev ## mend what ruff can mend; write the processes' README files anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(RUN) -m engine.scenarios.rules --write processes

bench: install-dev .venv/peers ## measure; each benchmark prints ratios of one run
	@for file in benchmarks/*.py; do echo "== $$file"; $(RUN) -m benchmarks.$$(basename $$file .py) || exit 1; done

fuzz: install-dev .venv/fuzz ## search for failures of FEEL and DMN, guided by coverage (TARGET=feel or dmn, SECONDS)
	PYTHONPATH=.venv/fuzz nice -n 10 $(RUN) -m tests.fuzz --target $(TARGET) --seconds $(SECONDS)

faults: install-dev ## the long form of the fault tests, and of migrating running cases
	LIUZHUAN_LONG=1 $(RUN) -m pytest tests/scenarios/test_migrating_changes_nothing.py -n $(WORKERS)
	LIUZHUAN_FAULT_ROUNDS=2000 $(RUN) -m pytest tests/faults -p no:xdist --timeout 7200

docs: install-dev assets ## take the guides' screenshots anew from a running product
	@$(RUN) tests/provide_browser.py
	$(RUN) docs/walk.py

lock: install-dev ## pin the requirements anew (needs `uv` from the package index)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --extra postgresql --group build -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --extra postgresql --group build --group dev -o requirements-dev.txt

clean: ## remove what was installed and built (var/ stays)
	rm -rf .venv node_modules webui/static/dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

install: .venv/.installed

install-dev: .venv/.installed-dev

assets: install ## build the browser bundle where its sources changed
	@$(RUN) -m webui.build_assets

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Liuzhuan needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Peers to compare with, and the fuzzer: in folders of their own, never part of the product. Without a network both are left out.
.venv/peers: benchmarks/peers/requirements.txt
	@rm -rf $@
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target $@ -r $< || echo "peers cannot be installed"
	@if [ -d $@ ]; then touch $@; fi

# Camunda's client library, which tests/clients runs in a process of its own.
.venv/clients: tests/clients/requirements.txt | .venv/bin/python
	@rm -rf $@
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target $@ -r $<
	@touch $@

.venv/fuzz: tests/requirements-fuzz.txt
	@rm -rf $@
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target $@ -r $< || echo "atheris cannot be installed"
	@if [ -d $@ ]; then touch $@; fi

# `make` alone lists what there is. Needs GNU make and Python 3.11 or newer; everything else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
SERVE ?= 1
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-workspace
BENCH := .venv-bench
PIP_QUIET := -m pip install --quiet --disable-pip-version-check
OURS := src tests $(wildcard bench docs)

# The first of these that is new enough and can make virtual environments.
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11
CHECK := import sys; sys.exit(3) if sys.version_info < (3, 11) else None; import venv, ensurepip

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Environments. A stamp is newer than what it was made from, so nothing is installed twice.

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if $$python -c "$(CHECK)" >/dev/null 2>&1; then $$python -m venv $(VENV); exit 0; fi; \
	done; \
	found=$$($(PYTHON) --version 2>&1 || true); \
	status=0; $(PYTHON) -c "$(CHECK)" >/dev/null 2>&1 || status=$$?; \
	if [ $$status -eq 3 ]; then \
		echo "Wayfare needs Python 3.11 or newer; $(PYTHON) is $$found. Name another: make PYTHON=/path/to/python3.12 ..."; \
	elif command -v $(PYTHON) >/dev/null; then \
		echo "$(PYTHON) ($$found) can't make virtual environments: its venv module is missing (Debian: apt-get install python3-venv)."; \
	else \
		echo "There is no $(PYTHON). Wayfare needs Python 3.11 or newer; name it: make PYTHON=/path/to/python3.12 ..."; \
	fi >&2; exit 1

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Wayfare into $(VENV) (a minute or two the first time)"
	@$(BIN)/python $(PIP_QUIET) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Wayfare and what its tests need into $(VENV) (a few minutes the first time)"
	@$(BIN)/python $(PIP_QUIET) -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.installed

$(BENCH)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Wayfare and its peers into $(BENCH)"
	@$(BIN)/python -m venv $(BENCH)
	@$(BENCH)/bin/python $(PIP_QUIET) -c constraints.txt -e '.[bench]'
	@touch $@

## Use.

.PHONY: demo
demo: $(VENV)/.installed ## make a simulated company, analyse it and show it in the browser (SERVE=0: don't show)
	$(BIN)/wayfare demo $(DEMO)
	$(BIN)/wayfare analyze $(DEMO)
ifneq ($(SERVE),0)
	$(BIN)/wayfare serve $(DEMO)
endif

## Checks.

.PHONY: debian
debian: ## install the Debian packages that some tests need, where that is allowed
	@missing=(); \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium); \
	command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql); \
	command -v java >/dev/null || [ -n "$${JAVA_HOME:-}" ] || missing+=(default-jre-headless); \
	[ $${#missing[@]} -gt 0 ] || exit 0; \
	as_root=(); \
	if [ "$$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi; \
	if ! command -v apt-get >/dev/null || ! "$${as_root[@]}" true 2>/dev/null; then \
		echo "Not installed and not installable from here: $${missing[*]}. The tests that need them are skipped."; exit 0; \
	fi; \
	echo "Installing Debian packages: $${missing[*]}"; \
	apt=("$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 400 apt-get -qq -o Acquire::Retries=1 -o Dpkg::Use-Pty=0); \
	"$${apt[@]}" update >/dev/null </dev/null || true; \
	"$${apt[@]}" install -y --no-install-recommends "$${missing[@]}" >/dev/null </dev/null \
		|| echo "Could not install $${missing[*]}. The tests that need them are skipped."

.PHONY: test
test: $(VENV)/.installed-test debian ## lint, types and every test, with what was skipped and why
	@failed=""; \
	$(MAKE) lint || failed="$$failed lint"; \
	$(MAKE) types || failed="$$failed types"; \
	$(BIN)/python -m pytest -q -rfEs -n 2 --dist loadgroup $(PYTEST_ARGS) || failed="$$failed pytest"; \
	[ -z "$$failed" ] || { echo "Failed:$$failed" >&2; exit 1; }

.PHONY: test-fast
test-fast: $(VENV)/.installed-test ## the tests not marked slow
	@$(BIN)/python -m pytest -q -rfEs -n 2 --dist loadgroup -m "not slow" $(PYTEST_ARGS)

.PHONY: check
check: lint types ## lint and types

.PHONY: lint
lint: $(VENV)/.installed-test ## ruff's rules and its formatting
	@$(BIN)/ruff check --quiet $(OURS)
	@$(BIN)/ruff format --check $(OURS)

.PHONY: types
types: $(VENV)/.installed-test ## mypy, strict
	@$(BIN)/mypy src

.PHONY: format
format: $(VENV)/.installed-test ## put the code into ruff's format, mending what can be mended
	@$(BIN)/ruff check --fix-only --quiet $(OURS)
	@$(BIN)/ruff format $(OURS)

.PHONY: bench
bench: $(BENCH)/.installed ## measure against peers, side by side in one run
	@$(BENCH)/bin/python -m bench

.PHONY: docs
docs: $(VENV)/.installed-test ## build the documentation
	@$(BIN)/python -m docs.build

## Releases.

.PHONY: constraints
constraints: $(BIN)/python ## take the newest versions that fit and pin them in constraints.txt
	@rm -rf build/constraints && mkdir -p build && $(BIN)/python -m venv build/constraints
	@build/constraints/bin/python $(PIP_QUIET) -e '.[test]'
	@{ sed '/^[^#]/,$$d' constraints.txt; \
		build/constraints/bin/python -m pip freeze --exclude-editable | sed -n '/^[A-Za-z0-9._-]*==[^ ]*$$/p'; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/constraints
	@git --no-pager diff --stat -- constraints.txt

.PHONY: wheel
wheel: $(BIN)/python ## build the wheel and try it in an environment of its own
	@rm -rf dist build/wheel && mkdir -p build
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w dist .
	@$(BIN)/python -m venv build/wheel
	@build/wheel/bin/python $(PIP_QUIET) -c constraints.txt dist/wayfare-*.whl
	@packed=$$(build/wheel/bin/python -c 'import pathlib, wayfare; print(pathlib.Path(wayfare.__file__).parent)'); \
		diff -r --brief -x __pycache__ src/wayfare "$$packed"
	@cd build/wheel && bin/wayfare --help >/dev/null && bin/wayfare list
	@ls -l dist

.PHONY: clean
clean: ## remove everything that was made here, environments and the demo included
	@rm -rf $(VENV) $(BENCH) $(DEMO) dist build .hypothesis .pytest_cache .mypy_cache .ruff_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

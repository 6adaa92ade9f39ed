# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
DEMO_VENV := .cache/demo-venv
LINK := .collections/ansible_collections/dataops/upkeep
SHELL_SCRIPTS := .ci/run tools/demo tools/docs tools/link tools/venv tests/images/base.sh $(wildcard tests/images/*/docker-entrypoint.sh)
PYTEST := python -m pytest
# Each worker starts its own stores and processes. Three for two cores: most tests wait for timeouts and for stores.
PARALLEL := -n 3 --dist loadfile

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export LC_ALL := C.UTF-8

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set up ---

.PHONY: venv
venv: $(VENV)/.complete $(LINK) ## Make the development environment (.venv)

.PHONY: demo-venv
demo-venv: $(DEMO_VENV)/.complete $(LINK) ## Make the small environment that the demo needs

$(VENV)/.complete: tools/venv tests/requirements-dev.txt tests/requirements-test.txt tests/requirements-demo.txt meta/ee-requirements.txt
	tools/venv $(VENV) tests/requirements-dev.txt

$(DEMO_VENV)/.complete: tools/venv tests/requirements-demo.txt meta/ee-requirements.txt
	mkdir -p .cache
	tools/venv $(DEMO_VENV) tests/requirements-demo.txt

$(LINK):
	tools/link

# --- use ---

.PHONY: demo
demo: demo-venv ## Run the daily maintenance on real stores with sample data, and print the path of its report
	tools/demo $(CURDIR)/$(DEMO_VENV)/bin

.PHONY: build
build: venv ## Build the tarball that ansible-galaxy installs
	ansible-galaxy collection build --force

.PHONY: docs
docs: venv ## Build the documentation of modules, roles and playbooks in .cache/docs
	tools/docs

.PHONY: ee
ee: venv ## Build an execution environment with this collection, for AWX and ansible-navigator
	python -m tools.ee

.PHONY: images
images: venv ## Fetch the images of the container tests, or build equal ones where no registry answers
	python -m tools.images

# --- check ---

.PHONY: test
test: check molecule ## Run everything: `check` and the scenarios on containers

.PHONY: check
check: lint types unit contract tooling integration faults sanity ## Run everything that needs no containers

.PHONY: lint
lint: venv ## Check style: Python, YAML, Ansible, shell, licences, changelog, module documentation
	ruff format --check .
	ruff check .
	yamllint --strict .
	shellcheck $(SHELL_SCRIPTS)
	reuse lint --quiet || { reuse lint --lines; exit 1; }
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	ansible-lint

.PHONY: types
types: venv ## Check types, strictly
	mypy -p ansible_collections.dataops.upkeep.plugins.module_utils
	mypy -p tools

.PHONY: unit
unit: venv ## Run the tests of pure decisions
	$(PYTEST) tests/unit

.PHONY: contract
contract: venv ## Run the tests that hold for every module, present and future
	$(PYTEST) -n 2 tests/contract

.PHONY: tooling
tooling: venv ## Run the tests of packaging and of the tools
	$(PYTEST) tests/tooling

.PHONY: browser
browser: venv ## Install Chromium, which the tests of the report need, where there is none
	python -m tools.browser

.PHONY: integration
integration: venv browser ## Run the tests on real stores without containers
	$(PYTEST) $(PARALLEL) tests/integration

.PHONY: faults
faults: venv browser ## Run the tests with stores that are down, hang or refuse
	$(PYTEST) $(PARALLEL) tests/faults

.PHONY: sanity
sanity: venv ## Run ansible-test sanity
	python -m tools.sanity

.PHONY: molecule
molecule: venv ## Run the scenarios on containers (podman or docker)
	# What an interrupted run believes to be up is not relied on; the containers it left are replaced.
	molecule reset
	molecule test --all

.PHONY: matrix
matrix: venv ## Run quick tests on the oldest and the newest supported ansible-core, where their Pythons are found
	python -m tools.matrix

.PHONY: bench
bench: venv ## Measure what modules cost
	python -m tests.benchmarks

.PHONY: clean
clean: ## Remove all that the other targets made, containers included
	-if [ -e .cache/molecule/stage.json ] && [ -e $(VENV)/.complete ]; then molecule destroy --all; fi
	-if [ -e $(DEMO_VENV)/.complete ] && [ -e .cache/demo ]; then $(DEMO_VENV)/bin/python -m tests.stack down --folder .cache/demo/stack; fi
	find plugins roles tests tools molecule -name __pycache__ -prune -exec rm -rf {} +
	rm -rf $(VENV) .cache .collections .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis dataops-upkeep-*.tar.gz

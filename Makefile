# Two commands are enough: `make serve PHOTOS=DIR` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
SOURCES := tagline tests benchmarks

.PHONY: help serve test fuzz hard slow losscheck portability bench check lint types layers dead-code format lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

serve: $(VENV)/.serve ## Set up and serve the photos below PHOTOS=DIR
	@test -n "$(PHOTOS)" || { echo 'Say which photos: make serve PHOTOS=/path/to/photos' >&2; exit 2; }
	@exec $(BIN)/tagline serve "$(PHOTOS)"

test: $(VENV)/.dev ## Set up and run the tests
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && $(BIN)/pytest -n 2 --basetemp "$$tmp/t"

check: lint types layers dead-code ## Lint, format check, types, layers, dead code

lint: $(VENV)/.dev ## Ruff: rules and format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.dev ## Strict types
	$(BIN)/basedpyright tagline

layers: $(VENV)/.dev ## Imports go down only
	$(BIN)/lint-imports

dead-code: $(VENV)/.dev ## Code that nothing uses
	$(BIN)/vulture

fuzz: $(VENV)/.dev ## Damaged files against every parser and writer (TAGLINE_FUZZ_SECONDS=60)
	TAGLINE_FUZZ_SECONDS=$${TAGLINE_FUZZ_SECONDS:-60} $(BIN)/pytest -q -m slow tests/fuzz

hard: $(VENV)/.dev ## Kills, full and pulled disks, attackers, racing programs (TAGLINE_KILLS=50)
	$(BIN)/pytest -q -m slow $(or $(HARD),tests/hard)

slow: $(VENV)/.dev ## Every other long suite
	$(BIN)/pytest -q -n 2 -m slow --ignore tests/fuzz --ignore tests/hard --ignore tests/container

losscheck: $(VENV)/.dev ## Who harms a file by writing a description (CORPUS=DIR JUDGE=DIR)
	$(BIN)/python -m benchmarks.losscheck $(CORPUS) $(if $(JUDGE),--judge $(JUDGE)) --write

portability: $(VENV)/.dev ## Which programs show what Tagline wrote
	$(BIN)/python -m benchmarks.portability $(CORPUS) --write

bench: $(VENV)/.dev ## Every benchmark, each beside its rival; needs 1 GB of disk
	$(BIN)/python -m benchmarks.scan --write
	$(BIN)/python -m benchmarks.edit --write
	$(BIN)/python -m benchmarks.serve --write
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.index

format: $(VENV)/.dev ## Format the sources
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock: ## Renew the hash-pinned locks (needs uv)
	uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements.lock
	uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-dev.lock

image: ## Build the container image (podman, buildah or docker)
	deploy/build_image.sh

image-test: $(VENV)/.dev ## Build the image without a registry, and test it (needs root and podman)
	BIN=$(BIN) deploy/test_image.sh

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Tagline needs Python 3.11 or newer; name one: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo 'Python cannot make virtual environments: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Everything is pinned by hash, the build backend included, so nothing else is fetched.
define install
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(1)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
endef

$(VENV)/.serve: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.serve

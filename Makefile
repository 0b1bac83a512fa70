# Two commands are enough: `make serve PHOTOS=DIR` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
SOURCES := tagline tests benchmarks deploy

.PHONY: help serve test fuzz hard writers mounts soak api-test slow losscheck portability bench check lint types layers dead-code pins format lock swagger-ui audit sbom clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

serve: $(VENV)/.serve ## Set up and serve the photos below PHOTOS=DIR
	@test -n "$(PHOTOS)" || { echo 'Say which photos: make serve PHOTOS=/path/to/photos' >&2; exit 2; }
	@exec $(BIN)/tagline serve "$(PHOTOS)"

test: $(VENV)/.dev ## Set up and run the tests
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && $(BIN)/pytest -n 3 --basetemp "$$tmp/t"

check: lint types layers dead-code pins ## Lint, format check, types, layers, dead code, pins

lint: $(VENV)/.dev ## Ruff: rules and format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.dev ## Strict types
	$(BIN)/basedpyright tagline

layers: $(VENV)/.dev ## Imports go down only
	$(BIN)/lint-imports

dead-code: $(VENV)/.dev ## Code that nothing uses
	$(BIN)/vulture

pins: $(VENV)/.dev ## The lock lacks nothing
	$(BIN)/pip check --disable-pip-version-check

fuzz: $(VENV)/.dev ## Damaged files against every parser and writer (TAGLINE_FUZZ_SECONDS=60)
	TAGLINE_FUZZ_SECONDS=$${TAGLINE_FUZZ_SECONDS:-60} $(BIN)/pytest -q -m slow tests/fuzz

hard: $(VENV)/.dev ## Kills, full and pulled disks, attackers, racing programs (TAGLINE_KILLS=50)
	$(BIN)/pytest -q -m slow $(or $(HARD),tests/hard --ignore tests/hard/writers --ignore tests/hard/mounts)

writers: $(VENV)/.dev ## Programs that are still copying photos in while others describe them (TAGLINE_WRITERS=all)
	$(BIN)/pytest -q -n 3 -m slow tests/hard/writers

mounts: $(VENV)/.mounts ## Photos on mergerfs, bindfs, NTFS, exFAT, sshfs and SeaweedFS (TAGLINE_MOUNT_KILLS=2, TAGLINE_RIVAL_SECONDS=4)
	$(BIN)/pytest -q -n 3 -m slow tests/hard/mounts

soak: $(VENV)/.dev ## A week of a household in SOAK_MINUTES=10; 100,000 photos in 256 MiB (SOAK_WRITE=1)
	SOAK_MINUTES=$(or $(SOAK_MINUTES),10) SOAK_WRITE=$(SOAK_WRITE) $(BIN)/pytest -q -rP -m slow $(or $(SOAK),tests/soak)

api-test: $(VENV)/.api ## Schemathesis, a validator and a generated client against the API, with reports (TAGLINE_EXAMPLES=100)
	@mkdir -p build/api-test
	API_REPORT=$(CURDIR)/build/api-test $(BIN)/pytest -q -m slow tests/conformance --junitxml build/api-test/tests.xml

slow: $(VENV)/.dev ## Every other long suite (TAGLINE_EXAMPLES=50000, TAGLINE_KILLS=500)
	$(BIN)/pytest -q -n 2 -m slow --ignore tests/fuzz --ignore tests/hard --ignore tests/soak --ignore tests/conformance --ignore tests/container

losscheck: $(VENV)/.dev ## Who harms a file by writing a description (CORPUS=DIR JUDGE=DIR)
	$(BIN)/python -m benchmarks.losscheck $(CORPUS) $(if $(JUDGE),--judge $(JUDGE)) --write

portability: $(VENV)/.dev ## Which programs show what Tagline wrote
	$(BIN)/python -m benchmarks.portability $(CORPUS) --write

bench: $(VENV)/.dev ## Every benchmark, each beside its rival; needs 1 GB of disk
	$(BIN)/python -m benchmarks.scan --write
	$(BIN)/python -m benchmarks.edit --write
	$(BIN)/python -m benchmarks.serve --write
	$(BIN)/python -m benchmarks.find --write
	$(BIN)/python -m benchmarks.pictures --write
	$(BIN)/python -m benchmarks.events --write
	$(BIN)/python -m benchmarks.index --write
	$(BIN)/python -m benchmarks.growth --write

format: $(VENV)/.dev ## Format the sources
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock: ## Renew the hash-pinned locks (needs uv)
	uv pip compile pyproject.toml --extra build --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-dev.lock
	uv pip compile pyproject.toml --extra build --extra dev --extra api --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q -c requirements-dev.lock -o requirements-api.lock
	for extra in audit mounts; do sed -n "/^$$extra = \[/,/^\]/s/^ *\"\(.*\)\",/\1/p" pyproject.toml | uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-$$extra.lock || exit; done

swagger-ui: ## Renew the Swagger UI that is shipped (VERSION=5.x.y; needs npm)
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && cd "$$tmp" && npm pack --silent swagger-ui-dist@$(VERSION) && tar xzf *.tgz && \
	to=$(CURDIR)/tagline/api/swagger && cp package/LICENSE package/NOTICE package/swagger-ui-bundle.js.LICENSE.txt "$$to" && \
	for f in swagger-ui-bundle.js swagger-ui.css; do gzip -9nc package/$$f > "$$to/$$f.gz"; done && \
	sed -i '1s/.*/# Swagger UI $(VERSION)/' "$$to/README.md"

image: ## Build the container image (podman, buildah or docker)
	deploy/build_image.sh

image-test: $(VENV)/.dev ## Build the image without a registry, and test it (root, podman, buildah, runc, debootstrap)
	BIN=$(BIN) deploy/test_image.sh

audit: $(VENV)/.audit ## Known vulnerabilities of what Tagline runs with (asks the package index)
	@$(VENV)/audit/bin/python deploy/audit.py requirements.lock

sbom: $(VENV)/.serve ## The software bill of materials, as CycloneDX JSON, to sbom.json
	$(BIN)/python deploy/sbom.py > sbom.json

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Tagline needs Python 3.11 or newer; name one: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo 'Python cannot make virtual environments: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Everything is pinned by hash, the build backend included, so nothing else is fetched. The locks are
# whole, so nothing is resolved: an older pip, which does, stops at `name[extra]` of another package
# as soon as a release comes out that the lock does not name.
define install
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $(1)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
endef

$(VENV)/.serve: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.serve

$(VENV)/.api: requirements-api.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-api.lock)
	@touch $@ $(VENV)/.dev $(VENV)/.serve

$(VENV)/.mounts: requirements-mounts.lock | $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements-mounts.lock
	@touch $@

# Apart from the rest, so that no tool of the audit is taken for a part of Tagline.
$(VENV)/.audit: requirements-audit.lock | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements-audit.lock
	@touch $@

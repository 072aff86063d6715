# Two commands do everything on a fresh machine: `make serve` and `make test`.

PYTHON ?= python3
VENV_SERVE := .venv
VENV_DEV := .venv-dev
DEV := $(VENV_DEV)/bin

.DEFAULT_GOAL := help
.PHONY: help serve test soak bench docs check lint format proto schema zoo clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

# --- serving: no torch -------------------------------------------------------------------------------------

$(VENV_SERVE)/.installed: pyproject.toml setup.py clients/python/pyproject.toml
	@echo "Installing the server into $(VENV_SERVE) (no torch; about a minute) ..."
	@$(PYTHON) -m venv $(VENV_SERVE)
	@$(VENV_SERVE)/bin/pip install --quiet --disable-pip-version-check -e ".[cpu]" -e clients/python
	@touch $@

serve: $(VENV_SERVE)/.installed  ## serve the zoo: HTTP on 8000, gRPC on 50051 (ARGS="--http-port 9000" adds options)
	@exec $(VENV_SERVE)/bin/pentimento serve $(ARGS)

# --- development: everything -------------------------------------------------------------------------------

$(VENV_DEV)/.installed: pyproject.toml setup.py clients/python/pyproject.toml
	@echo "Installing everything into $(VENV_DEV) (torch for the CPU among it; some minutes) ..."
	@$(PYTHON) -m venv $(VENV_DEV)
	@$(DEV)/pip install --quiet --disable-pip-version-check $(TORCH_INDEX) torch==2.13.0
	@$(DEV)/pip install --quiet --disable-pip-version-check -e ".[cpu,train,dev,docs]" -e clients/python
	@touch $@

# First all that bears company, side by side; a file's tests stay together, for the servers that they share. Then
# one after the other what measures time, load or memory. 5 is how pytest ends where nothing was asked of it: what
# ARGS names may all be of one kind, but must be something.
test: $(VENV_DEV)/.installed  ## install everything and pass the tests (ARGS="tests/bundle -x" is for pytest)
	@echo "Side by side what bears company; then alone, one after the other, what measures time, load or memory."
	@$(DEV)/python -m pytest -m "not alone" -n auto --dist loadfile --no-loadscope-reorder $(ARGS); beside=$$?; \
	$(DEV)/python -m pytest -m alone $(ARGS); alone=$$?; \
	case $$beside,$$alone in 0,0|0,5|5,0) ;; *) exit 1 ;; esac

.PHONY: browser
browser:  ## install what the tests use the studio with: Debian's chromium, as root
	apt-get update -q && apt-get install --yes chromium

bench: $(VENV_DEV)/.installed  ## measure the server against the limit and the plain way (ARGS=--quick: two minutes)
	$(DEV)/python -m benchmarks.bench $(ARGS)

soak: $(VENV_DEV)/.installed  ## a server under everything at once: a quarter of an hour (ARGS="--minutes 2" is less)
	$(DEV)/python -m tests.soak $(ARGS)

docs: $(VENV_DEV)/.installed  ## build the site of docs/ into build/site (ARGS="serve -a localhost:8001" shows it)
	NO_MKDOCS_2_WARNING=1 $(DEV)/mkdocs $(if $(ARGS),$(ARGS),build --strict)

check: $(VENV_DEV)/.installed lint test  ## tests, lint, types, import rules, generated files

lint: $(VENV_DEV)/.installed  ## everything in `check` but the tests
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	cd clients/python && ../../$(DEV)/mypy
	$(DEV)/lint-imports --no-cache
	$(DEV)/python proto/generate.py --check
	$(DEV)/python -m pentimento.bundle.schema | diff -u docs/manifest.schema.json -

lock:  ## writes down each package of the images with its hashes, for `--require-hashes`; needs uv
	deploy/lock.sh --upgrade

format: $(VENV_DEV)/.installed  ## let ruff format the code
	$(DEV)/ruff check --fix .
	$(DEV)/ruff format .

proto: $(VENV_DEV)/.installed  ## regenerate the gRPC stubs of server and client
	$(DEV)/python proto/generate.py

schema: $(VENV_DEV)/.installed  ## regenerate docs/manifest.schema.json
	$(DEV)/python -m pentimento.bundle.schema > docs/manifest.schema.json

ZOO := $(notdir $(wildcard zoo/*))  # each bundle is named after its recipe

zoo: $(VENV_DEV)/.installed  ## train and export the bundles of zoo/ anew (hours; resumes where it stopped)
	@for recipe in $(ZOO); do \
		if [ -e runs/$$recipe/checkpoint.pt ]; then resume=--resume; else resume=; fi; \
		$(DEV)/pentimento train $$recipe $$resume && $(DEV)/pentimento export runs/$$recipe --overwrite || exit 1; \
	done

clean:  ## remove both environments
	rm -rf $(VENV_SERVE) $(VENV_DEV)

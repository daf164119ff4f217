# make up: run everything.  make test: run the tests.  make help: the other targets.

PY := .venv/bin/python
# Arguments for pytest:  make test ARGS="-k allocation"
ARGS ?=
UV ?= uv
# While it is exchanged the environment has another name.
UPGRADING = $(firstword $(wildcard .venv/bin/python .venv.previous/bin/python) python3) -m mgmtplane.upgrading
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header

.PHONY: help up demo upgrade upgrade-back wheels test test-slow test-postgres check lock docs bench clean venv venv-dev
.DEFAULT_GOAL := help

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1:\t/p' Makefile | expand -t 16

up: venv  ## install, prepare and serve on http://127.0.0.1:8000 until Ctrl-C
	@exec $(PY) manage.py up

demo: venv  ## the same with two fictional sites, if the database has none (DATA_DIR=somewhere for a new one)
	@exec $(PY) manage.py up --demo

upgrade:  ## after git pull: backup, install, compare every export on a copy, ask, migrate (FROM=, WHEELS=, ACCEPT=)
	@$(UPGRADING) up

upgrade-back:  ## back to the version before: database, installed packages, source (ACCEPT=)
	@$(UPGRADING) back

test: venv-dev  ## the tests, on SQLite or on TEST_DATABASE_URL
	@$(PY) -m pytest -n auto --dist loadgroup $(ARGS)

test-slow: venv-dev  ## the tests that take long
	@$(PY) -m pytest -n auto --dist loadgroup -m slow $(ARGS)

test-postgres: venv-dev  ## the tests on a PostgreSQL started for them
	@tools/with-postgresql $(MAKE) --no-print-directory test ARGS="$(ARGS)"

check: venv-dev  ## style, types, who imports whom, migrations, settings, documentation
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py check
	$(PY) -m pytest -q -m docs

wheels: venv  ## what the application runs on, for this machine's Python, so that a recovery kit needs no network
	@tools/wheels "$${DATA_DIR:-data}/wheels"

docs: venv-dev  ## write what is generated: settings, findings, permissions, faults, the document's schema
	$(PY) -m mgmtplane.environment docs/settings.md
	$(PY) -m inventory.rules.documentation docs
	$(PY) manage.py permissions --write docs/access.md
	$(PY) -m tests.provisioning.faults.documentation docs/faults.md
	$(PY) manage.py declare --schema > docs/site-document.schema.json

bench: venv-dev  ## measure, and write docs/benchmarks.md
	$(PY) tests/bench/run.py
	$(PY) -m tests.bench.jobs
	$(PY) -m tests.bench.runs

lock:  ## compile requirements*.in into requirements*.txt; needs uv
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/ (or UV=/path/to/uv)" >&2; exit 1; }
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

clean:  ## remove what was built, not the data
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@tools/make-venv .venv/.installed requirements.txt

venv-dev: venv
	@tools/make-venv .venv/.installed-dev requirements.txt requirements-dev.txt

# Two commands matter: `make up` and `make test`. All steps live in deploy/*.py, in plain Python.
PYTHON ?= python3.11
ifeq ($(shell command -v $(PYTHON) 2>/dev/null),)
PYTHON = python3
endif

.PHONY: up test install lint format soak pictures walk bench clean help

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/  -/'

up:  ## install what is missing, then run everything until Ctrl-C
	@exec $(PYTHON) deploy/up.py

install:  ## the set-up alone: .venv, front end, database
	@$(PYTHON) deploy/install.py

test:  ## every test there is: unit, real kubectl, real browser, real Redis and Celery
	@$(PYTHON) deploy/install.py --tests
	@.venv/bin/python deploy/test.py

lint:  ## ruff, mypy, import-linter, djlint, the front end's types
	@$(PYTHON) deploy/install.py --tests
	@.venv/bin/python deploy/lint.py

format:
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

soak:  ## the long proofs in full
	@$(PYTHON) deploy/install.py --tests
	@DRYDOCK_SOAK=1 .venv/bin/python -m pytest -m soak tests

pictures:  ## pictures of the whole site in every look, in var/pictures
	@$(PYTHON) deploy/install.py --tests
	@DRYDOCK_SOAK=1 .venv/bin/python -m pytest -q -m browser tests/journeys/test_looks.py tests/journeys/test_time_walk.py --pictures var/pictures

walk:  ## the pictures of docs/time.md, by the tests that go its walk
	@$(PYTHON) deploy/install.py --tests
	@.venv/bin/python -m pytest -q -m browser tests/journeys/test_time_walk.py --pictures docs/pictures

bench:  ## the benchmarks, one line of JSON each
	@$(PYTHON) deploy/install.py
	@.venv/bin/python -m bench all --json

clean:  ## forget the build (the database in var/ stays)
	rm -rf .venv node_modules static/dist .mypy_cache .ruff_cache .pytest_cache

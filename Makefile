# Everything there is to learn: setup, run, test, lint, migrations, bench.
# `make run PORT=8001` runs beside another; PYTHON names the Python 3.11 or newer to start from.
PORT ?= 8000
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && exit; done; echo python3)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || echo /usr/bin/chromium)
BIN = .venv/bin
export CHROMIUM

.PHONY: setup run test lint migrations bench development browser
.DEFAULT_GOAL := run

setup:
	@$(PYTHON) -I portal/bootstrap.py

run: setup
	@exec $(BIN)/python -m portal run --port $(PORT)

test: lint browser
	$(BIN)/python -m portal migrations --check
	$(BIN)/python -m pytest -n 2

lint: development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint portal --lint --quiet

migrations: development
	$(BIN)/python -m portal migrations

bench: development
	@missed=; for each in bench/*.py; do echo "== $$each"; $(BIN)/python "$$each" || missed="$$missed $$each"; done; \
		test -z "$$missed" || { echo "missed:$$missed"; exit 1; }

development:
	@$(PYTHON) -I portal/bootstrap.py --dev

browser:
	@test -x "$(CHROMIUM)" || { \
		echo "Chromium was not found, and the browser tests need it."; \
		echo "Install it (Debian, Ubuntu: apt install chromium) or name it: make test CHROMIUM=/path/to/chromium"; \
		test -z "$$PORTAL_TEST_NO_SKIP"; }

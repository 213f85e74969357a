# Mezha: one door for people and CI.  `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PORT ?= 8000
export PORT

.PHONY: help run test check bench pictures format lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set everything up and start Mezha on http://127.0.0.1:$(PORT)
	@sh setup/prepare.sh run
	@exec .venv/bin/mezha up --port $(PORT)

test: ## run the tests on a throw-away database (T= picks some: make test T=tests/geo)
	@sh setup/prepare.sh test
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(T)

check: ## lint, types, import contracts, catalogues
	@sh setup/prepare.sh check
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench: ## benchmarks against the bare SQL and the peers; rewrites docs/benchmarks.md
	@sh setup/prepare.sh bench
	@.venv/bin/python -m tests.benchmarks

pictures: ## the README's pictures anew, from the demonstration that `make run` shows in another terminal
	@.venv/bin/python -m tests.web.pictures http://127.0.0.1:$(PORT)

format: ## put the code in its canonical form
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

lock: ## renew uv.lock after a change of pyproject.toml
	@.mezha/tools/bin/uv lock

clean: ## remove what the targets made, but never the data of `make run`
	@rm -rf .venv web/node_modules .pytest_cache .mypy_cache .ruff_cache

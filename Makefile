# Two commands matter to a newcomer: `make refresh` and `make test`. Everything lands in .venv and data/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help refresh real test spark lint lint-python lint-sql format dictionary reference docs bench versions clean

# Tried in this order unless PYTHON names one: make refresh PYTHON=/path/to/python3.11
PYTHONS := $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python)
BIN := .venv/bin
# Bytecode is compiled when a module is first used: most of what is installed never is. It is then
# kept, whatever the shell says: every process that compiles again what it imports costs a fifth.
export PYTHONDONTWRITEBYTECODE :=
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile
# What is installed is what the lists say, which are whole: pip compares each file with its hash.
LOCKED := $(PIP_INSTALL) --no-deps --require-hashes -r
# One worker a core; linear algebra then takes one thread a worker, or the two fight for the cores.
# Files in their own order, long ones first: the default leaves those of few tests, the longest, to
# the end, where one worker waits for the other.
PYTEST_OPTIONS ?= -n 2 --dist loadfile --no-loadscope-reorder
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

help:
	@echo "make refresh     set up, then build and publish the panels"
	@echo "make real        the same from real files, which CITYTRADE_REAL_DATA names, into data/real"
	@echo "make test        set up, then run every test"
	@echo "make spark       set up Spark (Java 17 must be there), and compare what it builds with DuckDB's"
	@echo "make lint        style, types, SQL and who imports whom"
	@echo "make format      rewrite Python and SQL in the house style"
	@echo "make dictionary  columns of models, written from the dictionary"
	@echo "make reference   pages of commands, keys and estimators; papers and panels as dbt knows them"
	@echo "make docs        the pages of models and columns"
	@echo "make bench       one page of costs beside limits and peers (BENCH=\"customs --records 10000000\": a part)"
	@echo "make versions    lists of packages and their hashes, from pyproject.toml (UPGRADE=-U: the newest)"
	@echo "make clean       remove .venv and caches; data/ stays"

refresh: .venv/.runtime
	@$(BIN)/citytrade refresh

# Says which variable to set where the folder of real files is not named.
real: .venv/.runtime
	@$(BIN)/citytrade refresh --config tests/real_data/citytrade.toml

test: .venv/.dev
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_OPTIONS)

# Not among the tests of every change: it takes three minutes.
spark: .venv/.spark
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/flows/test_spark.py tests/flows/test_spark_reading.py

# Side by side with -j2: models are read while types are.
lint: lint-python lint-sql

lint-sql: .venv/.dev
	CITYTRADE_DB=:memory: $(BIN)/sqlfluff lint dbt_project/models

lint-python: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m warehouse.dictionary.contracts --check
	$(BIN)/python -m flows.reference --check

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	CITYTRADE_DB=:memory: $(BIN)/sqlfluff fix dbt_project/models

dictionary: .venv/.runtime
	@$(BIN)/python -m warehouse.dictionary.contracts
	@$(BIN)/python -m flows.reference

reference: .venv/.runtime
	@$(BIN)/python -m flows.reference

docs: .venv/.runtime
	@cd dbt_project && CITYTRADE_DB=:memory: ../$(BIN)/dbt --quiet docs generate --static --empty-catalog
	@echo "Models and columns, in one page that opens without network: dbt_project/target/static_index.html"

bench: .venv/.dev
	@$(BIN)/python -m tests.benchmarks.page $(BENCH)

# uv resolves for every platform and Python at once; it lives in a folder of its own and goes again.
UV_COMPILE = $(UV)/bin/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url
WITH_HASHES = $(UV_COMPILE) -c constraints.txt --generate-hashes
versions: UV := $(shell mktemp -du)
versions:
	@$(firstword $(foreach python,$(PYTHONS),$(shell command -v $(python)))) -m venv $(UV) && $(UV)/bin/pip install -qq --disable-pip-version-check uv
	@$(UV_COMPILE) $(UPGRADE) --all-extras pyproject.toml -o constraints.txt
	@$(WITH_HASHES) pyproject.toml requirements/build.in -o requirements/runtime.txt
	@$(WITH_HASHES) --extra dev pyproject.toml requirements/build.in -o requirements/dev.txt
	@$(WITH_HASHES) --extra spark pyproject.toml requirements/build.in -o requirements/spark.txt
	@rm -rf $(UV)
	@git diff --stat -- constraints.txt requirements

clean:
	@rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache dbt_project/target dbt_project/logs logs
	@find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +
	@echo "Removed .venv and the caches. data/ is kept: delete it by hand if you no longer want its releases."

.venv/.runtime: pyproject.toml requirements/runtime.txt
	@python=; \
	for candidate in $(PYTHONS); do \
	    if "$$candidate" -c '$(NEW_ENOUGH)' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    found=$$("$(lastword $(PYTHONS))" --version 2>&1 || true); \
	    echo "citytrade needs Python 3.11 or newer and found none (tried: $(PYTHONS); $(lastword $(PYTHONS)) is '$${found##*: }'): install one, or name it as in make refresh PYTHON=/path/to/python3.11."; \
	    exit 1; \
	fi; \
	if ! $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null; then "$$python" -m venv --clear .venv; fi; \
	echo "Installing citytrade and what it needs into .venv with $$($(BIN)/python --version) (once, a minute or two)"
	@$(LOCKED) requirements/runtime.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m flows.processes.server_database
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	@echo "Adding the tools that tests and linting need to .venv (once, under a minute)"
	@$(LOCKED) requirements/dev.txt
	@touch $@

.venv/.spark: .venv/.dev requirements/spark.txt
	@echo "Adding pyspark and dbt-spark to .venv (once, a minute)"
	@$(LOCKED) requirements/spark.txt
	@touch $@

# sim3d: everything a fresh machine needs is python3 (3.11 or newer), make and a package registry.
#   make run       environment, installation, the quickstart run with tables and plots
#   make test      lint, types, import rules, all quick tests (MPI, nuSQuIDS, simweights and netCDF included)
#   make validate  the slow physics report, output/validation/report.md
#   make bench     speed, output/benchmarks.json and .md
#   make docs      the documentation site, output/site/index.html
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := output/quickstart
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.PHONY: run test validate bench docs clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("sim3d needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(PIP) -e '.[mpi]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.installed
	$(PIP) -e '.[mpi,test,exports,docs,primaries,msis]'
	@touch $@

run: $(VENV)/.installed
	@mkdir -p $(OUT)
	$(BIN)/sim3d run examples/quickstart.toml -o $(OUT)/run.h5 --force
	$(BIN)/sim3d tables $(OUT)/run.h5 -o $(OUT)/tables
	$(BIN)/sim3d tables $(OUT)/run.h5 -o $(OUT)/tables --format csv
	$(BIN)/sim3d plot $(OUT)/run.h5 -o $(OUT)/plots
	$(BIN)/sim3d asymmetry $(OUT)/run.h5 > $(OUT)/asymmetry.txt
	@cat $(OUT)/asymmetry.txt
	@echo "Result, tables, plots and the asymmetry table are in $(OUT)/"

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --durations=10

validate: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow
	$(BIN)/python scripts/validation/validate.py --output output/validation

docs: $(VENV)/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is output/site/index.html"

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) output/quickstart output/validation output/site

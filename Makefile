# sim3d: everything a fresh machine needs is python3 (3.11 or newer), make and a package registry.
#   make run       environment, installation, the quickstart run with tables and plots
#   make test      all quick tests (MPI, nuSQuIDS, simweights and netCDF included), then types, import rules, lint, docs
#   make coverage  part of the tests with kernels interpreted, output/coverage/
#   make validate  the slow physics report, output/validation/report.md
#   make calibration   the calibration that ships, muons-2026 (an hour), sim3d/reference/calibrations/
#   make site-tables   the fluxes that ship, a site at a time (hours; SITES=kamioka,sno PRIMARIES=N), sim3d/reference/sites/
#   make bench     speed, output/benchmarks.json and .md
#   make docs      the documentation site, output/site/index.html
#   make hooks     checks before each commit (pre-commit, local)
#   make pins      renew constraints-dev.txt: the newest versions of everything the checks use
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := output/quickstart
comma := ,
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
TEST_EXTRAS := mpi,test,exports,docs,primaries,msis,calibration,analysis
# kernels are interpreted, hundreds of times slower: tests of files, formats and formulas, and of statistics the short ones
COVERED := tests/atmosphere tests/hadronic/interaction/test_kernels.py tests/hadronic/observables/test_yields.py \
    tests/geomag/test_geodesy.py tests/geomag/field/test_igrf.py tests/golden/test_old_files.py tests/sim3d/conventions \
    tests/sim3d/primaries/test_spectrum.py tests/sim3d/primaries/test_libraries.py tests/sim3d/scoring/test_hit_weights.py \
    tests/sim3d/shower/test_energy_loss.py tests/sim3d/shower/test_random_streams.py tests/sim3d/shower/test_rotations.py
# samples of millions, and a rounding that numba and NumPy make in other ways
UNCOVERED := poisson or uncorrelated or keys or slot_tail_inverts

# compiled modules are kept: hundreds of processes of the tests import them, and uv compiles none when it installs
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test coverage validate site-tables calibration bench docs hooks pins clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("sim3d needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(PIP) -e '.[mpi]'
	@touch $@

# uv installs in a fraction of pip's time; where it cannot be had, or not reach the packages, pip does it
$(VENV)/.installed-test: pyproject.toml constraints-dev.txt | $(VENV)/bin/python
	@if $(PIP) uv 2>/dev/null && $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints-dev.txt -e '.[$(TEST_EXTRAS)]'; \
	then :; else $(PIP) -c constraints-dev.txt -e '.[$(TEST_EXTRAS)]'; fi
	@touch $@ $(VENV)/.installed

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
	$(BIN)/python scripts/checks/run_checks.py

coverage: $(VENV)/.installed-test
	@mkdir -p output/coverage
	NUMBA_DISABLE_JIT=1 COVERAGE_FILE=output/coverage/data $(BIN)/coverage run -m pytest -q -m "not slow and not mpi" \
	    -k "not ($(UNCOVERED))" -W "ignore:overflow encountered:RuntimeWarning" -p no:cacheprovider $(COVERED); status=$$?; \
	COVERAGE_FILE=output/coverage/data $(BIN)/coverage report --skip-covered > output/coverage/report.txt; \
	echo "coverage of part of the tests, kernels interpreted: $$(grep TOTAL output/coverage/report.txt)"; exit $$status

hooks: $(VENV)/.installed-test
	$(BIN)/pre-commit install

pins: | $(VENV)/bin/python
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate --no-header \
	    $(foreach extra,$(subst $(comma), ,$(TEST_EXTRAS)),--extra $(extra)) pyproject.toml -o constraints-dev.txt
	sed -i '1i # Versions of everything that the checks use, for Python 3.11 to 3.13. Made by `make pins`, on purpose only.' constraints-dev.txt

validate: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow
	$(BIN)/python scripts/validation/validate.py --output output/validation

site-tables: $(VENV)/.installed-test
	$(BIN)/python scripts/campaigns/site_tables.py -o output/site-tables $(if $(SITES),--sites $(SITES)) $(if $(PRIMARIES),--primaries $(PRIMARIES))
	@mkdir -p sim3d/reference/sites && cp output/site-tables/*.h5 sim3d/reference/sites/

calibration: $(VENV)/.installed-test
	@mkdir -p output/calibration
	$(BIN)/sim3d calibrate scripts/campaigns/muons-2026.toml -o output/calibration/muons-2026.h5
	@mkdir -p sim3d/reference/calibrations && cp output/calibration/muons-2026.h5 sim3d/reference/calibrations/

docs: $(VENV)/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is output/site/index.html"

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) output/quickstart output/validation output/site

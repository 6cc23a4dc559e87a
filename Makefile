# Both targets do everything on a fresh machine that has Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: demo test lint calibrate digits clean

demo: $(STAMP)  ## a verdict on a model that the package builds itself
	$(BIN)/preflash demo

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest -q -n 2

lint: $(STAMP)  ## style, types, floors
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

calibrate: $(STAMP)  ## every fitted figure that ships, from the committed rows (two minutes)
	$(BIN)/python scripts/fit_reference_kernels.py
	$(BIN)/python scripts/fit_class_cpi.py
	$(BIN)/python scripts/choose_spreads.py
	$(BIN)/python scripts/calibrate.py
	$(BIN)/python scripts/fit_esp_nn.py --write
	OMP_NUM_THREADS=1 $(BIN)/python scripts/fit_xnnpack.py
	$(BIN)/python scripts/fit_power.py

digits: $(STAMP)  ## the complete example: trains a small network in all ways (two to five minutes)
	$(BIN)/python examples/digits/run.py

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q -e . --group dev
	touch $(STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info

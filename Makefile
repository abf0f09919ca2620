# Each target is one or two lines that also work by hand; README.md shows them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := "$(BIN)/python" -m pip --disable-pip-version-check

.PHONY: install run demo test check bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	"$(PYTHON)" -m venv $(VENV)
	$(PIP) install -q --progress-bar on -c constraints.txt -e ".[dev]"
	touch $(INSTALLED)

run: $(INSTALLED)
	"$(BIN)/finetone" run

demo: $(INSTALLED)
	"$(BIN)/finetone" demo

# Bytecode is kept even where the environment says no: every process of the run, and every program it starts, would compile all.
# One BLAS thread in each: as many processes as cores run already, and pools of threads only wait for one another.
test: $(INSTALLED)
	PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 "$(BIN)/python" -m pytest -n auto --maxprocesses 4

check: $(INSTALLED)
	"$(BIN)/ruff" format --check .
	"$(BIN)/ruff" check .
	"$(BIN)/pyright"

bench: $(INSTALLED)
	"$(BIN)/python" -m bench

clean:
	rm -rf $(VENV)

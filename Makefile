# make        install into .venv, and fetch the embedded model into the user's cache
# make test   every check and test in two processes, offline after installation
# make demo   base model against the shipped adapter, on a page of a real filing and on synthetic ones
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: install test demo lint clean

install: $(INSTALLED)

# torch comes first: what depends on it would otherwise bring a CUDA build along.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,constrain,quant,serve,ray,openvino,llamacpp,track,figures,dev]'
	$(BIN)/python -c "from crossfoot.models.embedded import embedded_model; embedded_model()"
	touch $(INSTALLED)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

demo: install
	$(BIN)/crossfoot demo

clean:
	rm -rf .venv runs

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REFERENCE := .venv-reference

.PHONY: test demo reference format clean

test: $(READY)
	$(BIN)/black --check --quiet . || { $(BIN)/black --diff --quiet .; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2
	$(BIN)/nngen build specs/*.yaml --check

demo: $(READY)
	$(BIN)/nngen build specs/cnn.yaml
	$(BIN)/nngen verify specs/cnn.yaml
	diff -y -t -W 185 generated/cnn/nn_style.py generated/cnn/functional_style.py || test $$? -eq 1

# Compares with torchvision's and transformers' own models; `make reference NAMES=resnet18` with these of torchvision.
reference: $(REFERENCE)/.ready
	$(REFERENCE)/bin/python tests/reference/compare_torchvision.py $(NAMES)
	$(REFERENCE)/bin/python tests/reference/compare_transformers.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/black .

clean:
	rm -rf .venv .venv-reference .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find nngen generated tests -name __pycache__ -prune -exec rm -rf {} +

# The build backend runs apart from the environment: its versions come from these two.
$(READY): export PIP_CONSTRAINT := constraints.txt
$(READY): export PIP_BUILD_CONSTRAINT := constraints.txt
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[torch,test]'
	touch $@

$(REFERENCE)/.ready: constraints.txt
	$(PYTHON) -m venv $(REFERENCE)
	$(REFERENCE)/bin/python -m pip install --quiet -c constraints.txt torch numpy pillow==13.0.0
	$(REFERENCE)/bin/python -m pip install --quiet -c constraints.txt transformers==5.23.0
	$(REFERENCE)/bin/python -m pip install --quiet --no-deps torchvision==0.28.0
	touch $@

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: test demo format clean

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

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/black .

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find nngen generated tests -name __pycache__ -prune -exec rm -rf {} +

# The build backend runs apart from the environment: its versions come from these two.
$(READY): export PIP_CONSTRAINT := constraints.txt
$(READY): export PIP_BUILD_CONSTRAINT := constraints.txt
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[torch,test]'
	touch $@

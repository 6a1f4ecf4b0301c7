# make demo   the whole promise on real rows          make test        the tests that take minutes
# make check  ruff, mypy --strict, architecture, docs  make test-slow   the slow ones
# make lock   resolve again (needs uv)                 make audit       known vulnerabilities (needs the network)
# Each target does its own set-up into .venv; the second time that is quick. GNU make 3.81 or newer.
.PHONY: demo test test-slow check lock audit set-up clean
export OMP_NUM_THREADS ?= 1

bin := .venv/bin

set-up:
	@sh packaging/set-up

demo: set-up
	@OMP_NUM_THREADS= $(bin)/luvalla demo

test: set-up
	@$(bin)/python -m pytest -q -n 2 --dist loadfile -m "not slow" $(ARGS)

test-slow: set-up
	@$(bin)/python -m pytest -q -n 2 --dist loadfile -m slow $(ARGS)

check: set-up
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/mypy
	@$(bin)/python -m pytest -q tests/test_architecture.py tests/test_docs.py tests/test_docs_run.py

lock:
	uv lock --python 3.11
	uv export --no-emit-project --no-header --no-annotate --no-sources --all-groups --extra postgresql \
	    --format requirements-txt --output-file requirements.lock --quiet

audit: set-up
	@$(bin)/python -m venv .venv/audit && .venv/audit/bin/python -m pip install --quiet pip-audit
	@.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean:
	rm -rf .venv .luvalla .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

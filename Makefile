# Video Story: `make start`, or `make film STORY=story.txt OUT=film.mp4` without the server. Everything else is set up on
# the way. A second run is quick: stamps inside .venv say what is done, and only a changed lock file installs again.
# Written for the make of macOS (3.81) too, so: no .ONESHELL, no grouped targets.

VENV    := .venv
PY      := $(VENV)/bin/python
PYTHON  ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(if $(shell \
             $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))) python3)
PACKAGES := $(VENV)/.packages
SYSTEM   := $(VENV)/.system
PM2      := tests/pm2/node_modules/.installed
CODE     := pipeline server

# Names with spaces and quotes reach the recipe as environment variables, never as shell text.
export STORY OUT ASPECT REPORT

.PHONY: setup start test check film bench chaos mutants clean film-names lock browser pm2 page picture
.DEFAULT_GOAL := setup

setup: $(PACKAGES) $(SYSTEM)

start: setup page
	@exec $(PY) -m server

test: setup check browser pm2
	$(PY) -m pytest -m "not root" --ignore tests/server --ignore tests/hermes
	$(PY) -m pytest -m "not root" tests/server tests/hermes --cov

check: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy --strict $(CODE)
	$(VENV)/bin/lint-imports

film: film-names setup
	@exec $(PY) -m pipeline film "$$STORY" -o "$$OUT" $(if $(ASPECT),--aspect "$$ASPECT") $(if $(REPORT),--report "$$REPORT")

film-names:
	@[ -n "$$STORY" ] && [ -n "$$OUT" ] || { \
	  echo 'Usage: make film STORY=story.txt OUT=film.mp4 [ASPECT=9:16] [REPORT=report.json]' >&2; exit 2; }

# The README's picture: the middle of one shot of an example's film.
PICTURE      := test-results/picture
PICTURE_SHOT := 60
picture: setup
	@mkdir -p $(PICTURE)
	$(PY) -m pipeline film examples/crow-and-fiddle.txt -o $(PICTURE)/film.mp4 --report $(PICTURE)/report.json --data-dir $(PICTURE)
	$(PY) -c 'import json, pathlib as p; from pipeline.film.join import poster; made = p.Path("$(PICTURE)"); shot = json.loads((made / "report.json").read_text())["shots"][$(PICTURE_SHOT) - 1]; poster(made / "film.mp4", p.Path("docs/frame.jpg"), at_ms=(shot["start_ms"] + shot["end_ms"]) // 2)'

bench: setup
	@status=0; for file in bench/[!_]*.py; do \
	  echo "== $$file"; $(PY) -m "bench.$$(basename "$$file" .py)" || status=1; done; exit $$status

chaos: setup
	@[ "$$(id -u)" = 0 ] || { echo 'These tests mount small and read-only folders, which needs root: sudo make chaos' >&2; exit 1; }
	$(PY) -m pytest -m root tests/chaos

# Which changes of the code no test sees: in a copy of the last commit, as it takes a while (JOBS=1: on one core) and
# writes beside the code. The tool has an environment of its own that also sees the packages of this one.
MUTMUT  := 3.8.1
MUTANTS := test-results/mutants
mutants: setup
	rm -rf $(MUTANTS) && mkdir -p $(MUTANTS)
	git archive HEAD | tar -x -C $(MUTANTS)
	$(PY) -m venv $(VENV)/mutmut && $(VENV)/mutmut/bin/pip install --quiet --disable-pip-version-check mutmut==$(MUTMUT)
	$(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(VENV)/mutmut/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/product.pth"
	cd $(MUTANTS) && "$(CURDIR)/$(VENV)/mutmut/bin/mutmut" run $(if $(JOBS),--max-children $(JOBS)) >run.txt || { tail -n 40 run.txt; exit 1; }
	$(PY) -m tests.mutants $(MUTANTS)

clean:
	rm -rf $(VENV) tests/pm2/node_modules web/node_modules web/dist test-results
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find pipeline server tests -name __pycache__ -type d -prune -exec rm -rf {} +

# After a change of the dependencies in pyproject.toml. One lock for Linux and macOS, Python 3.11 and later.
lock: $(PACKAGES)
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(PY) -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --quiet -o requirements.lock

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Video Story needs Python 3.11 or newer. Install it, or name it: make setup PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo 'Python could not make a virtual environment. On Debian and Ubuntu: apt-get install -y python3-venv' >&2; exit 1; }

$(PACKAGES): requirements.lock | $(PY)
	@echo 'Installing the Python packages of requirements.lock'
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: --require-hashes -r requirements.lock
	@touch $@

# skia links to the system's OpenGL libraries, though everything is drawn in memory.
$(SYSTEM): $(PACKAGES)
	@$(PY) -c 'import skia' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo 'Installing the system libraries libegl1 and libgl1'; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libegl1 libgl1 libexpat1 >/dev/null; fi; \
	  $(PY) -c 'import skia' || { \
	    echo 'A system library for drawing is missing. On Debian and Ubuntu: sudo apt-get install -y libegl1 libgl1 libexpat1' >&2; \
	    exit 1; }; }
	@touch $@

page:
	@if [ -f web/package.json ]; then cd web && npm ci && npm run build; fi

browser: setup
	@$(PY) tests/e2e/browser.py

pm2: $(PM2)

$(PM2): tests/pm2/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing. On Debian and Ubuntu: sudo apt-get install -y nodejs npm' >&2; exit 1; }
	cd tests/pm2 && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

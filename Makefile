# Enginewright: from a PyTorch checkpoint to a TensorRT engine, every step proven. `make help` lists the commands.

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
SCRATCH := scratch
# Processes that run tests side by side.
JOBS ?= 2

export PATH := $(BIN):$(PATH)
# DVC keeps unpickled state in its site cache: a private folder, not one that other users can write.
export DVC_SITE_CACHE_DIR := $(CURDIR)/.cache/dvc-site
export DVC_NO_ANALYTICS := 1
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-tensorrt setup-gpu setup-s3 setup-ray setup-slurm setup-peers params preflight bisect sweep repro \
	exps diff why reproduce verify sign sbom remote push pull test torture check format report table gpu latency bench lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp ## install what the pipeline needs into .venv
setup-test: $(VENV)/test.stamp ## install what the tests need besides
setup-tensorrt: $(VENV)/tensorrt.stamp ## install the full TensorRT, for builder=tensorrt on a GPU server

setup-s3: $(VENV)/s3.stamp ## install what make remote URL=s3://... needs
setup-gpu: $(VENV)/gpu.stamp ## install ONNX Runtime's CUDA provider, for make gpu
setup-ray: $(VENV)/ray.stamp ## install Ray, for make sweep ENGINE=ray
setup-slurm: $(VENV)/slurm.stamp ## install submitit, for make sweep ENGINE=slurm

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1); expected Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp names a set of requirements that is installed; a second run finds it and installs nothing.
$(VENV)/%.stamp: requirements/%.txt requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements/$*.txt
	@mkdir -p .cache && mkdir -p -m 700 $(DVC_SITE_CACHE_DIR)
	@touch $@

$(VENV)/test.stamp: requirements/run.txt requirements/s3.txt

# Both packages of ONNX Runtime hold the module of the same name: the last one installed is the one that runs.
$(VENV)/gpu.stamp: requirements/gpu.txt requirements.lock | $(VENV)/run.stamp
	$(BIN)/python -m pip uninstall --yes --disable-pip-version-check onnxruntime
	$(BIN)/python -m pip install --disable-pip-version-check "$$(grep '^onnxruntime-gpu' $<)"
	@touch $@

params: setup ## compose conf/ into params.yaml
	@python -m enginewright.lifeline enginewright.config.compose

preflight: setup ## will it convert? NETWORK=disk, or GRAPH=model.onnx; more in ARGS='export.opset=18'
	@python -m enginewright.preflight $(if $(GRAPH),--graph $(GRAPH),network=$(NETWORK)) $(ARGS)

bisect: setup ## which nodes must stay fp32? NETWORK=disk_lightglue ARGS='layernorm=decomposed precision=fp16'
	@python -m enginewright.bisecting network=$(NETWORK) $(ARGS)

sweep: setup ## many variants: SWEEP=opset_precision, or ARGS='precision=fp32,fp16'; WORKERS=2 ENGINE=ray REMOTE=name
	@python -m enginewright.sweeping $(if $(SWEEP),--sweep $(SWEEP)) $(if $(WORKERS),--workers $(WORKERS)) \
		$(if $(ENGINE),--engine $(ENGINE)) $(if $(REMOTE),--remote $(REMOTE)) $(ARGS)

repro: setup ## build and prove every engine; a second run does only what changed; WORKERS=1 for one stage at a time
	@$(if $(WORKERS),ENGINEWRIGHT_WORKERS=$(WORKERS)) python -m enginewright.lifeline enginewright.recovery repro

torture: setup-test ## kills, bad inputs and other faults, each with what was promised: SEED=1 KILLS=300
	@python -m tests.torture $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS)) $(ARGS)

verify: setup ## hash and compare everything, offline: NETWORK=disk ALL=1 KEY=public.pem, or FOLDER=received/disk
	@python -m enginewright.verifying $(if $(NETWORK),--network $(NETWORK)) $(if $(ALL),--all) \
		$(if $(KEY),--key "$(KEY)") $(if $(FOLDER),--folder "$(FOLDER)")

sign: setup ## sign the engines' statements: KEY=private.pem, an Ed25519 key that lies outside the repository
	@python -m enginewright.signing $(if $(KEY),"$(KEY)") $(if $(NETWORK),--network $(NETWORK))

sbom: setup-test ## write sbom.cdx.json, a CycloneDX bill of materials of requirements.lock
	@python -m enginewright.bill_of_materials

exps: setup ## every experiment on one line: verdict, matches kept, error, size, what was changed; ALL=1 for more
	@python -m enginewright.results exps $(if $(ALL),--all)

diff: setup ## two commits or experiments: A=rev B=rev, by default the last commit and the working tree; ALL=1 for more
	@python -m enginewright.results diff $(or $(A),HEAD) $(B) $(if $(ALL),--all)

why: setup ## why would stages run? or did: REV=commit or experiment; STAGE=export@disk for one
	@python -m enginewright.explaining $(if $(REV),--rev $(REV)) $(STAGE)

remote: setup $(if $(filter s3:%,$(URL)),setup-s3) ## where to share results: URL=/mnt/share/ew, or URL=s3://bucket/prefix ENDPOINT=https://...
	@python -m enginewright.sharing remote "$(URL)" $(if $(ENDPOINT),--endpoint "$(ENDPOINT)")

reproduce: setup ## build everything again elsewhere, by another user, and compare every digest; ARGS='--keep'
	@python -m enginewright.reproducing $(ARGS)

push: setup ## send artifacts, metrics and finished runs there; ALL=1: those of experiments and earlier runs too
	@python -m enginewright.sharing push $(if $(ALL),--all)

pull: setup ## fetch them: make repro then builds nothing that somebody built
	@python -m enginewright.sharing pull

test: setup-test check ## all checks and tests
	python -m pytest -n $(JOBS) --dist loadgroup

check: setup-test ## linter, formatter and type checker
	ruff check .
	ruff format --check .
	mypy

format: setup-test ## let the linter and the formatter mend what they can
	ruff check --fix .
	ruff format .

report: setup ## one page on sweeps and runs: SWEEP=name, or BASE=rev REV=rev to compare two; all by default
	@python -m enginewright.pages $(if $(SWEEP),--sweep $(SWEEP)) $(if $(BASE),--base $(BASE)) $(if $(REV),--revision $(REV)) $(ARGS)

table: setup ## print the result table of the last run
	@python -m enginewright.report.table

gpu: setup-gpu ## run precision and LayerNorm variants on the GPU here; ARGS='--forms native,island --precisions fp16'
	@python -m enginewright.gpu all $(ARGS)

latency: setup-gpu ## time the matcher on the GPU here beside torch and the floor; ARGS='--seconds 200'
	@python -m benchmarks.latency pack --out $(SCRATCH)/latency
	@python -m benchmarks.latency run --bundle $(SCRATCH)/latency $(ARGS)

bench: setup setup-peers ## what the pipeline costs, against floor and peers: PARTS='cold opset' ROUNDS=3; all by default
	@python -m benchmarks $(or $(PARTS),all) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

setup-peers: setup ## install the peers that make bench compares with, into .cache/peers
	@python -m benchmarks.peers.environment

lock: ## write requirements.lock from a fresh environment with the newest versions that fit; then make sbom
	rm -rf $(SCRATCH)/lock && $(PYTHON) -m venv $(SCRATCH)/lock
	sed 's/^-c .*//; s/^-r .*//' requirements/run.txt requirements/s3.txt requirements/test.txt > $(SCRATCH)/lock/all.txt
	$(SCRATCH)/lock/bin/pip install -c requirements/floors.txt -r $(SCRATCH)/lock/all.txt
	{ echo "# Every version, for all of requirements/. Written by 'make lock' from a fresh environment."; \
		$(SCRATCH)/lock/bin/pip freeze | sed 's/+cpu$$//'; } > requirements.lock

clean: ## remove scratch files; what DVC keeps stays
	rm -rf $(SCRATCH) .pytest_cache .mypy_cache .ruff_cache

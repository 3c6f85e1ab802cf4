# Everything runs in local environments that these targets make: python3 and make are all it takes.
PYTHON ?= python3
VENV := .venv
PARITY := .venv-parity
TFIO := .venv-tfio
WEB := tflite/web
# The models of make web: .tflite files, runs or presets; the first one is the default.
MODELS ?= open_unmix_like/karaoke mdx_net_like/karaoke
# Those of its live part: presets, runs or files for streams.
LIVE ?= open_unmix_like/karaoke_causal
# The tests of the parts that run on every backend. Of models, which compile for long, their outputs and gradients.
PORTABLE := tests/ops tests/layers tests/losses tests/metrics tests/test_targets.py \
	tests/models/test_every_model.py::test_every_weight_gets_a_gradient
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help demo test test-jax test-slow fuzz tfio parity native native-arm64 web web-test runtime docs lint bench clean

help:
	@echo "make demo       songs, training, stems, scores, a .tflite file and demo/report.html (CLIP=song.mp3 adds your song)"
	@echo "make test       the fast tests on TensorFlow"
	@echo "make test-jax   the tests of the parts that run on every backend, on JAX"
	@echo "make test-slow  the slow tests"
	@echo "make fuzz       malformed files of every kind, MINUTES=2 each"
	@echo "make tfio       those of audio files and pipelines, on TensorFlow 2.16 with tensorflow-io, in an environment of its own"
	@echo "make parity     comparison with PyTorch and Open-Unmix, in a separate environment"
	@echo "make native     the C library and command for .tflite files: build/native (needs libcjson-dev and libsoxr-dev)"
	@echo "make native-arm64  the same for 64-bit ARM: build/native-arm64 (needs gcc-aarch64-linux-gnu)"
	@echo "make web        the page that separates in the browser, at http://127.0.0.1:8000 (needs npm)"
	@echo "make web-test   the tests of that page (needs npm and Chromium; LONG=1 adds ten minutes of sound)"
	@echo "make runtime    the package kerasep-runtime, for Python without TensorFlow: build/runtime"
	@echo "make docs       the documentation: build/docs/index.html"
	@echo "make lint       ruff and mypy"
	@echo "make bench      timings compared with the originals (in the environment of make parity)"
	@echo "make clean      remove the environments and the demo"

demo: $(VENV)/demo
	$(VENV)/bin/kerasep demo --out demo --overwrite $(if $(CLIP),--clip "$(CLIP)")

test: $(VENV)/dev
	KERAS_BACKEND=tensorflow $(VENV)/bin/python -m pytest -n 2 -m "not slow and not parity"

# Most of the time is compilation of many small graphs, each for a run or two. What a layer saves is no backend's matter,
# and BSS Eval is NumPy's.
test-jax: $(VENV)/dev
	KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=1 $(VENV)/bin/python -m pytest -n 2 -m "not slow and not parity" \
		$(PORTABLE) --ignore tests/metrics/test_bss_eval.py \
		-k "not (round_trip or saved_and_restored or config or order_of_channels or any_number_of_channels)"

test-slow: $(VENV)/dev
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal -m slow

# Their fixed cases are also among the slow tests.
fuzz: $(VENV)/dev
	KERASEP_FUZZ_MINUTES=$(or $(MINUTES),2) $(VENV)/bin/python -m pytest -n 2 tests/fuzz

tfio: $(TFIO)/ready
	KERAS_BACKEND=tensorflow $(TFIO)/bin/python -m pytest -n 2 -m "not slow and not parity" tests/data/audio \
		tests/data/test_pipelines.py

parity: $(PARITY)/ready
	KERAS_BACKEND=tensorflow $(PARITY)/bin/python -m pytest -n 2 --dist worksteal -m parity
	KERAS_BACKEND=torch $(PARITY)/bin/python -m pytest -n 2 -m "not slow and not parity" \
		tests/ops tests/layers tests/losses tests/test_targets.py

native: $(VENV)/demo
	$(MAKE) -C tflite/native PYTHON=$(CURDIR)/$(VENV)/bin/python BUILD=$(CURDIR)/build/native

native-arm64: $(VENV)/demo
	tflite/native/arm64 $(CURDIR)/$(VENV)/bin/python build/native-arm64

web: $(VENV)/demo $(WEB)/node_modules
	rm -rf build/web
	cd $(WEB) && npm run --silent build
	$(VENV)/bin/python $(WEB)/make_models.py build/web/models $(MODELS) --live $(LIVE) --example
	$(VENV)/bin/python -m http.server --bind 127.0.0.1 --directory build/web 8000

web-test: $(VENV)/demo
	@command -v npm > /dev/null || echo "make web-test is skipped: it needs npm"
	! command -v npm > /dev/null || PYTHON=$(abspath $(VENV))/bin/python $(WEB)/test/run

runtime: $(VENV)/base
	$(VENV)/bin/python -m pip install -q build
	$(VENV)/bin/python -m build --outdir build/runtime tflite/python

docs: $(VENV)/docs
	$(VENV)/bin/python -m sphinx -W --keep-going -q -d build/doctrees -b html docs build/docs
	$(VENV)/bin/python docs/check_width.py build/docs
	@echo "open build/docs/index.html"

lint: $(VENV)/dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(PARITY)/ready
	$(PARITY)/bin/python benchmarks/open_unmix_inference.py
	$(PARITY)/bin/python benchmarks/pipeline.py
	$(PARITY)/bin/python benchmarks/utilisation.py
	$(PARITY)/bin/python benchmarks/shards.py
	$(PARITY)/bin/python benchmarks/bss_eval.py
	$(PARITY)/bin/python benchmarks/stft.py
	$(PARITY)/bin/python benchmarks/transposed_convolutions.py
	$(PARITY)/bin/python benchmarks/recurrent.py
	$(PARITY)/bin/python benchmarks/zoo_speed.py
	$(PARITY)/bin/python benchmarks/fit_speed.py --batch 2 --seconds 2 --steps 5 --frameworks "PyTorch eager" "Keras TensorFlow" "Keras JAX"
	$(PARITY)/bin/python benchmarks/streaming.py
	$(PARITY)/bin/python benchmarks/tflite_files.py
	$(PARITY)/bin/python benchmarks/start_up.py --backends tensorflow
	$(PARITY)/bin/python benchmarks/many_files.py

clean:
	rm -rf $(VENV) $(PARITY) $(TFIO) build demo docs/models docs/reference/generated $(WEB)/node_modules

$(WEB)/node_modules: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

$(VENV)/base:
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), sys.version' || \
		{ echo "kerasep needs Python 3.11 to 3.13: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --upgrade pip
	@touch $@

$(VENV)/demo: $(VENV)/base setup.py pyproject.toml
	$(VENV)/bin/python -m pip install -q -e ".[edge,report]"
	@touch $@

$(VENV)/dev: $(VENV)/demo
	$(VENV)/bin/python -m pip install -q -e ".[edge,report,jax,beam,dev]"
	@touch $@

$(VENV)/docs: $(VENV)/demo
	$(VENV)/bin/python -m pip install -q -e ".[edge,report,docs]"
	@touch $@

# tensorflow-io runs beside this TensorFlow alone, which needs an older NumPy.
$(TFIO)/ready: setup.py pyproject.toml
	$(PYTHON) -m venv $(TFIO)
	$(TFIO)/bin/python -m pip install -q --upgrade pip
	$(TFIO)/bin/python -m pip install -q -e ".[tfio,dev]" "tensorflow==2.16.2" "numpy<2"
	@touch $@

# torch and openunmix pin what TensorFlow needs newer, so they are kept apart.
$(PARITY)/ready: setup.py pyproject.toml
	$(PYTHON) -m venv $(PARITY)
	$(PARITY)/bin/python -m pip install -q --upgrade pip
	$(PARITY)/bin/python -m pip install -q "torch==2.13.0"
	$(PARITY)/bin/python -m pip install -q -e ".[edge,dev]" huggingface_hub mir_eval==0.8.2 tqdm
	$(PARITY)/bin/python -m pip install -q --no-deps openunmix==1.3.0 asteroid==0.7.0 \
		asteroid-filterbanks==0.4.0 torch-stoi==0.2.3 pystoi nussl==1.1.9 museval==0.4.1 \
		julius==0.2.8 hs-tasnet==0.3.4 einx==0.3.0 einops==0.8.2 frozendict==2.5.1 \
		speechmos==0.0.1.1 pymss-core==0.1.14 \
		bs-roformer-infer==0.1.5 melband-roformer-infer==0.1.5 beartype==0.23.1 \
		rotary-embedding-torch==0.9.1 ml-collections==1.1.0
	$(PARITY)/bin/python -m pip install -q onnxruntime pesq librosa==0.11.0
	$(PARITY)/bin/python -m pip install -q --no-deps --target $(PARITY)/demucs2 demucs==2.0.3
	$(PARITY)/bin/python -m pip install -q --no-deps --target $(PARITY)/demucs4 demucs==4.1.0
	@touch $@

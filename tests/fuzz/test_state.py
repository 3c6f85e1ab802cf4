"""State files with bytes and members changed: refused in one line, or gone on from."""

import io
import json
import pathlib
import sys
import tracemalloc
import zipfile

import keras
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.training.monitoring import Monitor
from kerasep.training.recipes import compile_model
from kerasep.training.run_folder import RunFolder
from kerasep.training.run_state import RunState, capture, restore

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "training"))
from tiny_runs import RECIPE, tiny

MONITOR = Monitor("val_loss", "min")

pytestmark = pytest.mark.slow

VALUES = [
    None, True, -1, 0, 1, 5, 10**9, 10**30, 1.5, -0.0, 1e400, float("nan"), "", "x" * 10**5, [], {},
    [[]], {"epoch": 1}, [{"epoch": 1}],
]  # fmt: skip
ARRAYS = [
    np.zeros(0), np.zeros(3, "float32"), np.array(np.nan), np.array(-1), np.array(2**62),
    np.array("text"), np.array([None, 1], dtype=object), np.zeros((2, 2), "complex64"),
    np.zeros((1, 33), "float16"), np.full((33, 16), np.inf, "float32"), np.zeros((33, 16), "int8"),
    np.array("2024-01-01", dtype="datetime64[D]"),
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A model, a run's folder and the content of a valid state file of it."""
    path = tmp_path_factory.mktemp("run")
    model = tiny(0.3)
    compile_model(model, RECIPE)
    folder = RunFolder(path, MONITOR, RECIPE["epochs"])
    settings = {"recipe": RECIPE, "seed": 0}
    assert folder.start(model, settings) is None
    model.optimizer.build(model.trainable_variables)
    rows = [{"epoch": 1, "seconds": 1.0, "loss": 0.5, "val_loss": 0.5, "learning_rate": 0.01}]
    callbacks = {"EarlyStopping/0": {"wait": 1, "best": 0.5, "best_weights": [{"array": 0}]}}
    arrays = capture(model) | {"callback/0": np.ones((33, 16), "float32")}
    model.save(path / "model.keras")
    state = RunState(4, 1, 2, seconds=3.0, history=rows, callbacks=callbacks, arrays=arrays)
    written = json.dumps({**folder.settings, "batch_size": 4})
    (path / "recipe.json").write_text(written, "utf-8")
    state.write(path / "state.npz")
    assert RunFolder(path, MONITOR, 3).start(model, settings).step == 2
    return model, path, settings, (path / "state.npz").read_bytes()


def flipped(rng, content):
    """Change, remove, repeat or insert some bytes."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(len(content)))
        # The directory and the headers are short: without care they would hardly be hit.
        if rng.random() < 0.5:
            marks = [at for at in range(len(content) - 1) if content[at : at + 2] == b"PK"]
            marks += [at for at in range(len(content) - 5) if content[at : at + 5] == b"NUMPY"]
            place = min(int(rng.choice(marks or [0]) + rng.integers(0, 64)), len(content) - 1)
        kind = rng.integers(4)
        if kind == 0:
            content[place] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)]))
        elif kind == 1:
            del content[place : place + int(rng.integers(1, 2000))]
        elif kind == 2:
            content[place:place] = content[place : place + int(rng.integers(1, 2000))]
        else:
            content[place : place + 4] = rng.bytes(4)
        if not content:
            break
    return bytes(content)


def repacked(rng, content):
    """Change a member, leave one out, or add one; with names and facts of all kinds."""
    with np.load(io.BytesIO(content)) as stored:
        members = dict(stored)
    names = list(members)
    name = str(rng.choice(names))
    kind = rng.integers(4)
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[name] = ARRAYS[rng.integers(len(ARRAYS))]
    elif kind == 2:
        other = str(rng.choice(["weight/77", "../evil", "x" * 300, "metric/0", "callback/1", ""]))
        members[other] = ARRAYS[rng.integers(len(ARRAYS))]
    else:
        facts = json.loads(members["facts"].tobytes())
        key = str(rng.choice([*facts, "other"]))
        facts[key] = VALUES[rng.integers(len(VALUES))]
        members["facts"] = np.frombuffer(json.dumps(facts).encode(), "uint8")
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if rng.random() < 0.2 else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in members.items():
            stream = io.BytesIO()
            np.save(stream, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", stream.getvalue())
    return file.getvalue()


def lied(rng, content):
    """Have the program itself write a state with another value."""
    state = RunState.read(io.BytesIO(content))
    if rng.random() < 0.5:
        names = [name for name in vars(state) if name != "arrays"]
        setattr(state, str(rng.choice(names)), VALUES[rng.integers(len(VALUES))])
    else:
        name = str(rng.choice([*state.arrays, "weight/9", "other/0"]))
        state.arrays[name] = ARRAYS[rng.integers(len(ARRAYS))]
    file = io.BytesIO()
    state.write(file)
    return file.getvalue()


def check_line(message, seed):
    assert "\n" not in message, seed
    assert len(message) < 1000, seed


@pytest.mark.parametrize("change", [flipped, repacked, lied])
def test_changed_states(run, cases, change):
    model, path, settings, content = run
    assert keras.config.dtype_policy().name == "float32"
    accepted = 0
    for seed, rng in cases(150):
        try:
            changed = change(rng, content)
        except (TypeError, ValueError):  # what cannot even be written
            continue
        (path / "state.npz").write_bytes(changed)
        tracemalloc.start()
        try:
            state = RunFolder(path, MONITOR, 3).start(model, settings)
            restore(model, state.arrays)
            accepted += 1
            # What is gone on from is a state that a run may be in.
            assert state.epoch == len(state.history), seed
            assert 0 <= state.epoch < 3 or state.finished, seed
            assert state.batch_size == 4, seed
            assert all(np.isfinite(weight).all() for weight in model.get_weights()), seed
        except InputError as error:
            check_line(str(error), seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        finally:
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert most < 20 * len(changed) + (8 << 20), seed
    assert accepted < 75

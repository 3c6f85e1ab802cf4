"""State files that are damaged or changed: errors of one line."""

import io
import json
import zipfile

import numpy as np
import pytest
import tiny_runs

from kerasep.files import array_file
from kerasep.training.run_state import RunState


def refused(songs, run, message, file="state.npz"):
    """Check for an error that names the file, and leaves all files as they are."""
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    line = tiny_runs.refused(message, songs, run)
    assert len(line) < 600
    assert file is None or str(run / file) in line
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


LIES = {
    "a negative epoch": ({"epoch": -1}, "Expected `int` >= 0 .*epoch"),
    "a huge epoch": ({"epoch": 10**30}, "Expected `int` <= .*epoch"),
    "an epoch without history": ({"epoch": 1}, "its history has 2 epochs, it says 1"),
    "a negative step": ({"step": -3}, "Expected `int` >= 0 .*step"),
    "a step of another type": ({"step": 1.5}, "Expected `int`, got `float` .*step"),
    "a step that is true": ({"step": True}, "Expected `int`, got `bool` .*step"),
    "a long text": ({"batch_size": "4" * 10**6}, "Expected `int`, got `str` .*batch_size"),
    "no batch": ({"batch_size": 0}, "Expected `int` >= 1 .*batch_size"),
    "another batch": ({"batch_size": 8}, "its batches are of 8, not those of recipe.json"),
    "parts that do not divide": ({"parts": 3}, "do not divide into 3"),
    "no parts": ({"parts": 0}, "Expected `int` >= 1 .*parts"),
    "halvings": ({"halvings": 6}, "Expected `int` <= 5 .*halvings"),
    "negative time": ({"seconds": -1.0}, "Expected `float` >= 0.0 .*seconds"),
    "no time": ({"seconds": float("nan")}, "Expected `float` >= 0.0 .*seconds"),
    "a word for an end": ({"finished": "yes"}, "Expected `bool`, got `str` .*finished"),
    "no history": ({"history": {}}, "Expected `array`, got `object` .*history"),
    "rows of history": ({"history": [1, 2]}, "Expected `object`, got `int` .*history"),
    "callbacks": ({"callbacks": []}, "Expected `object`, got `array` .*callbacks"),
    "a callback": (
        {"callbacks": {"EarlyStopping/0": 3}},
        "Expected `object`, got `int` .*callbacks",
    ),
    "a callback's array": (
        {"callbacks": {"EarlyStopping/0": {"best_weights": [{"array": 7}]}}},
        "its callbacks have an invalid value: 'callback/7'",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_about_the_run(songs, run, name):
    changes, message = LIES[name]
    state = RunState.read(run / "state.npz")
    for key, value in changes.items():
        setattr(state, key, value)
    state.write(run / "state.npz")
    refused(songs, run, f"which is damaged .*{message}.*: remove its folder and start again")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1].pop("val_loss"), "lacks a value in epoch 2"),
        (lambda rows: [row.pop("val_loss") for row in rows], "its history has no val_loss"),
        (lambda rows: rows[0].update(loss=float("nan")), "Expected `float` >= .*history"),
        (lambda rows: rows[0].update(loss="low"), "Expected `int.*`, got `str` .*history"),
        (lambda rows: rows[1].update(epoch=7), "the epoch 7 as number 2"),
    ],
)
def test_lies_about_its_history(songs, run, change, message):
    state = RunState.read(run / "state.npz")
    change(state.history)
    state.write(run / "state.npz")
    refused(songs, run, message)


def weight(value):
    return lambda arrays: arrays.update({"weight/0": value(arrays["weight/0"])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("weight/0"), "out of place"),
        (lambda arrays: arrays.popitem(), "lacks, or should not have"),
        (lambda arrays: arrays.update({"weight/99": np.zeros(3)}), "out of place"),
        (lambda arrays: arrays.update({"else/0": np.zeros(3)}), "'else/0' out of place"),
        (lambda arrays: arrays.update({"optimizer/-1": np.zeros(3)}), "out of place"),
        (weight(lambda value: value[:-1]), "its array weight/0 is float32"),
        (weight(lambda value: value.astype("int32")), "its array weight/0 is int32"),
        (weight(lambda value: value * np.nan), "its array weight/0 is not finite"),
        (weight(lambda value: value.astype("complex64")), "not an array of numbers"),
        (weight(lambda value: np.array(["x" * 1000])), "not an array of numbers"),
        (lambda arrays: arrays.update({"iteration/0": np.array(-1)}), "iteration/0 is -1"),
        (lambda arrays: arrays.update({"metric/0": np.zeros(9, "float32")}), "metric/0 is"),
    ],
)
def test_lies_about_the_model(songs, run, change, message):
    state = RunState.read(run / "state.npz")
    if "metric" in message:
        assert "metric/0" in state.arrays
    change(state.arrays)
    state.write(run / "state.npz")
    refused(songs, run, message)


def test_a_step_that_the_data_do_not_have(songs, run):
    state = RunState.read(run / "state.npz")
    state.step = 4000
    state.write(run / "state.npz")
    refused(songs, run, "has done 4000 batches of an epoch of 5", file=None)


def test_what_was_changed_by_hand(songs, run):
    """However plausible."""
    with np.load(run / "state.npz") as stored:
        arrays = dict(stored)
    facts = json.loads(arrays["facts"].tobytes())
    facts["seconds"] += 1
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), "uint8")
    with open(run / "state.npz", "wb") as file:
        np.savez(file, **arrays)
    refused(songs, run, "its content was changed since it was written")
    facts.pop("step")
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), "uint8")
    with open(run / "state.npz", "wb") as file:
        np.savez(file, **arrays)
    refused(songs, run, "its facts lack, or should not have, step")


class Trap:
    """Unpickled, it would leave a trace."""

    def __reduce__(self):
        return (print, ("unpickled",))


def npy(values):
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def header(text):
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a whole .npz file"),
        (b"no zip at all", "not a whole .npz file"),
        ({"weight/0.npy": npy(np.array([Trap()], dtype=object))}, "not an array of numbers"),
        ({"weight/0.npy": header(HUGE % 10**11) + bytes(8)}, "it holds|cannot|reshape|array"),
        ({"weight/0.npy": header(HUGE % "9" * 40)}, "not an array of numbers"),
        ({"weight/0.npy": header("[" * 100)}, "not an array of numbers"),
        ({"weight/0.npy": b"\x93NUM"}, "not an array of numbers"),
        ({"evil.txt": b"text"}, "not an array of numbers"),
        ({"facts.npy": npy(np.frombuffer(b"[" * 100000, "uint8"))}, "damaged"),
        ({"facts.npy": npy(np.frombuffer(b"[1]", "uint8"))}, "facts are not a dict"),
        ({"facts.npy": npy(np.zeros(3))}, "holds no facts"),
    ],
)
def test_files_of_another_kind(songs, run, content, message, capsys):
    if isinstance(content, dict):
        with zipfile.ZipFile(run / "state.npz", "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        (run / "state.npz").write_bytes(content)
    refused(songs, run, message)
    assert "unpickled" not in capsys.readouterr().out


def test_bombs(songs, run):
    """Refused by what is declared, before anything is taken apart."""
    with zipfile.ZipFile(run / "state.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weight/0.npy", bytes(1 << 24))
    refused(songs, run, "a member is compressed")
    with zipfile.ZipFile(run / "state.npz", "w") as archive:
        archive.writestr("weight/0.npy", bytes(1000))
    content = (run / "state.npz").read_bytes()
    sizes = (1000).to_bytes(4, "little") * 2
    assert content.count(sizes) == 2
    (run / "state.npz").write_bytes(content.replace(sizes, (1 << 31).to_bytes(4, "little") * 2))
    refused(songs, run, "declared larger than the file")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_off(songs, run, share):
    path = run / "state.npz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(songs, run, r"state.npz, which is damaged \(it is not a whole .npz file")


def test_read_arrays_reads_what_numpy_writes():
    arrays = {
        "a": np.arange(6).reshape(2, 3),
        "b": np.asfortranarray(np.random.default_rng(0).random((3, 4))),
        "c/d": np.array(True),
        "e": np.zeros((0, 3), "float16"),
        "f": np.float32(0.5),
    }
    file = io.BytesIO()
    np.savez(file, **arrays)
    found = array_file.read_arrays(file)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype

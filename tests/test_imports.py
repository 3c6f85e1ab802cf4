"""Who may import whom: the rules hold for every import in the package, the nested ones too."""

import ast
import functools
import pathlib
import subprocess
import sys

import pytest

import kerasep

ROOT = pathlib.Path(kerasep.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# What a room (a folder or a module of the package) may import beside itself. Rooms further down
# use those above them.
ROOMS = {
    "system": set(),
    "errors": {"system"},
    "files": {"system", "errors"},
    "ops": {"system", "errors"},
    "targets": {"ops", "system", "errors"},
    "losses": {"ops", "targets", "system", "errors"},
    "metrics": {"ops", "targets", "system", "errors"},
    "layers": {"ops", "system", "errors"},
    "data": {"ops", "targets", "files", "system", "errors", "__version__"},
    "models": {"layers", "ops", "system", "errors"},
    "importers": {"models", "layers", "ops", "files", "system", "errors"},
    "zoo": {"importers", "models", "layers", "ops", "files", "system", "errors", "__version__"},
    "separation": {"zoo", "models", "layers", "data", "ops", "files", "system", "errors"},
    "streaming": {"separation", "layers", "data", "ops", "system", "errors"},
}
ABOVE = {
    "evaluation": {"metrics"},
    "training": {"losses", "__version__"},
    "tflite": {"evaluation", "metrics", "__version__"},
    "reports": {"training", "evaluation", "tflite", "metrics"},
    "cli": {"reports", "training", "evaluation", "tflite", "metrics", "__version__"},
}
ROOMS |= {room: names | ROOMS.keys() for room, names in ABOVE.items()}
ENTRANCES = {"__init__", "__main__"}
# Imports of a room above, inside a function.
WHEN_CALLED = {("models/separation_model.py", "zoo")}


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@functools.cache
def imports(path):
    """Full names of what a file imports; `from a import b` as `a.b`."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return names


def is_import(node):
    return isinstance(node, ast.Import | ast.ImportFrom)


def importers_of(package):
    """Files, from the package's folder, that import a package."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.split(".")[0] == package for name in imports(path))
    }


def test_every_room_has_its_rule():
    assert {room_of(path) for path in FILES} == ROOMS.keys() | ENTRANCES


@pytest.mark.parametrize("room", [*ROOMS])
def test_a_room_imports_what_it_may(room):
    allowed = ROOMS[room] | {room}
    for path in FILES:
        if room_of(path) != room:
            continue
        for name in imports(path):
            package, _, rest = name.partition(".")
            if package == "kerasep":
                # A bare `import kerasep` could reach anything; the export asks for its version.
                bare = not rest and room == "tflite"
                above = rest.split(".")[0]
                called = (path.relative_to(ROOT).as_posix(), above) in WHEN_CALLED
                assert bare or called or above in allowed, f"{path.name} imports {name}"


def imports_at_once(file, package):
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return any(package in ast.unparse(node) for node in tree.body if is_import(node))


def test_imports_of_rooms_above_wait_for_a_call():
    for file, room in WHEN_CALLED:
        assert any(name.startswith(f"kerasep.{room}") for name in imports(ROOT / file))
        assert not imports_at_once(file, f"kerasep.{room}")


def test_only_data_and_tflite_import_tensorflow():
    """And two files, when they are called: for its old checkpoints, and for its several devices."""
    called = {"importers/tf_checkpoint.py", "training/devices.py"}
    files = importers_of("tensorflow") - called
    assert {name.split("/")[0] for name in files} <= {"data", "tflite"}
    assert not any(imports_at_once(file, "tensorflow") for file in called)
    assert len(importers_of("tensorflow_io")) <= 1


def test_only_several_hosts_import_jax():
    """Keras has nothing to tell processes apart, or to send from one to another."""
    assert importers_of("jax") == {"training/devices.py"}
    assert not imports_at_once("training/devices.py", "jax")


def test_one_file_imports_beam_and_only_when_asked():
    assert importers_of("apache_beam") == {"separation/beam_runs.py"}
    assert not imports_at_once("separation/beam_runs.py", "apache_beam")


def test_one_file_imports_pytorch_and_only_when_asked():
    """To run the originals of imported models."""
    assert importers_of("torch") == {"importers/originals.py"}
    assert not imports_at_once("importers/originals.py", "import torch")


@pytest.mark.parametrize("package", ["tf_keras", "librosa", "torchaudio"])
def test_nothing_imports(package):
    assert not importers_of(package)


@pytest.mark.parametrize("room", ["losses", "metrics", "data"])
def test_losses_metrics_and_data_know_no_model(room):
    assert not ROOMS[room] & {"layers", "models", "zoo"}


FRAMEWORKS = {"tensorflow", "keras", "jax", "torch"}


def loaded_by(script, packages):
    """Packages, of those named, that a script loads in a process of its own."""
    script = f"import sys; {script}; print(*set(sys.modules) & {packages})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return set(result.stdout.splitlines()[-1].split())


def test_a_phone_s_computer_needs_no_tensorflow():
    """Separating with an exported file, and audio files, work where neither is installed."""
    script = (
        "import kerasep, kerasep.separation.chunks, kerasep.separation.recordings, "
        "kerasep.tflite.runtime, "
        "kerasep.tflite.stream_runtime, kerasep.streaming.buffering, "
        "kerasep.data.audio, kerasep.separation.archives; "
        "kerasep.tflite.Runtime, kerasep.data.read, kerasep.data.write"
    )
    assert not loaded_by(script, FRAMEWORKS)


def test_what_starts_at_once_loads_little():
    slow = FRAMEWORKS | {"numpy", "scipy", "soundfile", "av", "h5py", "soxr", "jinja2"}
    assert not loaded_by("import kerasep.tflite", slow)
    assert not loaded_by("from kerasep.cli import app; app(['list'], standalone_mode=False)", slow)


def test_commands_start_keras_alone(monkeypatch):
    """Keras would load matplotlib, and TensorFlow JAX, if they are installed."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    script = "from kerasep.cli.terminal import start_keras; start_keras()"
    packages = FRAMEWORKS | {"matplotlib"}
    assert loaded_by(script, packages) == {"keras", "tensorflow"}

"""Who may import whom: the rules hold for every import in the package, the nested ones too."""

import ast
import pathlib
import subprocess
import sys

import pytest

import kerasep

ROOT = pathlib.Path(kerasep.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A room of the house (a module or a package) and the rooms that it may import.
ROOMS = {
    "names": set(),
    "errors": {"names"},
    "logs": {"names"},
    "text_files": {"names", "errors"},
    "samples": {"errors"},
    "folder_lock": {"errors"},
    "stop_signals": set(),
    "chunks": {"samples", "errors"},
    "recordings": {"folder_lock", "chunks", "data", "errors"},
    "archives": {"folder_lock", "recordings", "data", "errors"},
    "ops": {"errors"},
    "targets": {"ops", "errors"},
    "losses": {"ops", "targets", "errors"},
    "metrics": {"ops", "targets", "errors"},
    "layers": {"ops", "errors"},
    "models": {"layers", "memory", "ops", "errors"},
    "zoo": {"importers", "models", "layers", "ops", "errors", "__version__"},
    "importers": {"models", "layers", "ops", "errors"},
    "data": {"folder_lock", "samples", "ops", "targets", "chunks", "errors", "__version__"},
    "memory": set(),
    "recovery": {"errors"},
    "array_file": set(),
    "callback_state": set(),
    "run_state": {"array_file", "callback_state", "errors"},
    "batch_size": {"memory", "recovery", "run_state", "errors"},
    "devices": {"errors"},
    "waveform_training": {"devices", "losses", "layers", "errors"},
    "recipes": {"waveform_training", "losses", "errors"},
    "averages": set(),
    "tensorboard": set(),
    "interruption": {"stop_signals"},
    "run_folder": {"averages", "callback_state", "recovery", "run_state", "errors", "__version__"},
    "training_data": {"data", "devices", "errors"},
    "separator": {"models", "layers", "ops", "errors"},
    "streaming": {"samples", "separator", "layers", "ops", "errors"},
}
# Above the zoo, all of that and some of each other.
ABOVE = {
    "training": {"__version__"},
    "separation": set(),
    "evaluation": {"separation"},
    "tflite": {"separation", "evaluation", "__version__"},
}
TEXT = {"names", "logs", "text_files"}  # open to every room above them
ENTRANCES = {"__main__", "cli", "demo", "report", "check_page", "progress", "score_tables"}
ENTRANCES |= {"__init__", "console"}
ABOVE = {room: names | ROOMS.keys() for room, names in ABOVE.items()}


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Full names of what a file imports; `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
    assert {room_of(path) for path in FILES} == ROOMS.keys() | ABOVE.keys() | ENTRANCES


@pytest.mark.parametrize("room", [*ROOMS, *ABOVE])
def test_a_room_imports_what_it_may(room):
    allowed = {**ROOMS, **ABOVE}[room] | {room}
    allowed |= set() if room in {*TEXT, "errors"} else TEXT
    for path in FILES:
        if room_of(path) != room:
            continue
        for name in imports(path):
            package, _, rest = name.partition(".")
            if package == "kerasep":
                # A bare `import kerasep` could reach anything; the export asks for its version.
                bare = not rest and room == "tflite"
                assert bare or rest.split(".")[0] in allowed, f"{path.name} imports {name}"


def imports_at_once(file, package):
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return any(package in ast.unparse(node) for node in tree.body if is_import(node))


def test_only_data_and_tflite_import_tensorflow():
    """And two files, when they are called: for its old checkpoints, and for its several devices."""
    called = {"importers/tf_checkpoint.py", "devices.py"}
    files = importers_of("tensorflow") - called
    assert {name.split("/")[0] for name in files} <= {"data", "tflite"}
    assert not any(imports_at_once(file, "tensorflow") for file in called)
    assert len(importers_of("tensorflow_io")) <= 1


def test_only_several_hosts_import_jax():
    """Keras has nothing to tell processes apart, or to send from one to another."""
    assert importers_of("jax") == {"devices.py"}
    assert not imports_at_once("devices.py", "jax")


def test_one_file_imports_beam_and_only_when_asked():
    assert importers_of("apache_beam") == {"archives.py"}
    assert not imports_at_once("archives.py", "apache_beam")


@pytest.mark.parametrize("package", ["torch", "tf_keras", "librosa", "torchaudio"])
def test_nothing_imports(package):
    assert not importers_of(package)


@pytest.mark.parametrize("room", ["losses", "metrics", "data"])
def test_losses_metrics_and_data_know_no_model(room):
    assert not ROOMS[room] & {"layers", "models", "zoo"}


def test_a_phone_s_computer_needs_no_tensorflow():
    """Separating with an exported file, and audio files, work where neither is installed."""
    script = (
        "import sys, kerasep, kerasep.chunks, kerasep.recordings, kerasep.tflite.runtime, "
        "kerasep.tflite.stream_runtime, kerasep.streaming.buffering, "
        "kerasep.data.audio; "
        "kerasep.tflite.Runtime, kerasep.data.read, kerasep.data.write; "
        "loaded = {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")

"""A missing optional package: one line says how to install it, wherever it is needed."""

import sys

import numpy as np
import pytest

import kerasep
from kerasep.errors import InputError, installed_by


def test_what_is_installed_is_imported():
    with installed_by("kerasep[report]"):
        import json
    assert json.loads("[1]") == [1]


@pytest.mark.parametrize(
    ("requirement", "command"),
    [("kerasep[report]", "kerasep[report]"), (None, "missing_package")],
)
def test_the_line(requirement, command):
    with pytest.raises(InputError) as caught, installed_by(requirement):
        import missing_package.part  # noqa: F401
    assert str(caught.value) == (
        f"received no package missing_package, expected it to be installed: pip install '{command}'"
    )


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), installed_by("kerasep[report]"):
        _ = 1 / 0


def write_songs(folder):
    from kerasep.data import write_songs

    return write_songs(folder / "songs", 1, seconds=0.5)


def model():
    return kerasep.zoo.load("open_unmix_like/small", hidden=8)


def export(folder, **settings):
    kerasep.tflite.export(model(), folder / "model.tflite", seconds=1, **settings)


def content(folder):
    """A file that begins like a TFLite file."""
    (folder / "model.tflite").write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    return folder / "model.tflite"


def plot(_):
    from kerasep.reports import plots

    plots.histogram([1.0, 2.0], "dB")


def page(_):
    from kerasep.reports import report

    report.page("title", "text", [])


def beam(folder):
    from kerasep.separation import archives
    from kerasep.separation.chunks import ChunkSeparator

    kerasep.data.write(folder / "a.wav", np.zeros((800, 1), "float32"), 8000)
    halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    files = {"a": folder / "a.wav"}
    archives.separate(files, folder / "out", lambda: halves, runner="direct")


def tensorflow_io(folder):
    write_songs(folder)
    data = folder / "songs"
    kerasep.data.waveforms(data, model(), batch_size=1, crop_seconds=0.1, reader="tensorflow-io")


USES = {
    "export": ("ai_edge_litert", "kerasep[edge]", export),
    "export int8": (
        *("ai_edge_quantizer", "kerasep[edge]"),
        lambda folder: export(folder, quantization="int8"),
    ),
    "read_metadata": (
        *("ai_edge_litert", "kerasep[edge]"),
        lambda folder: kerasep.tflite.read_metadata(content(folder)),
    ),
    "Runtime": (
        *("ai_edge_litert", "kerasep[edge]"),
        lambda folder: kerasep.tflite.Runtime(content(folder)),
    ),
    "StreamRuntime": (
        *("ai_edge_litert", "kerasep[edge]"),
        lambda folder: kerasep.tflite.StreamRuntime(content(folder)),
    ),
    "quantize": (
        *("ai_edge_litert", "kerasep[edge]"),
        lambda folder: kerasep.tflite.quantize(content(folder), folder / "b.tflite", "int8"),
    ),
    "bench": (
        *("ai_edge_litert", "kerasep[edge]"),
        lambda folder: kerasep.tflite.bench(content(folder)),
    ),
    "plot": ("matplotlib", "kerasep[report]", plot),
    "page": ("jinja2", "kerasep[report]", page),
    "beam": ("apache_beam", "kerasep[beam]", beam),
    "tensorflow-io": ("tensorflow_io", "kerasep[tfio]", tensorflow_io),
}
COMMANDS = {
    "demo": ("demo --out {folder}/demo", "matplotlib", "kerasep[report]"),
    "demo, export": ("demo --out {folder}/demo", "ai_edge_litert", "kerasep[edge]"),
    "data check": ("data check {folder} --html {folder}/a.html", "jinja2", "kerasep[report]"),
    "export": (
        "export --model unet_like/karaoke --out {folder}/b.tflite",
        *("ai_edge_litert", "kerasep[edge]"),
    ),
    "export int8": (
        "export --model {model} --out {folder}/b.tflite --quantization int8",
        *("ai_edge_litert", "kerasep[edge]"),
    ),
    "bench": ("bench {model}", "ai_edge_litert", "kerasep[edge]"),
    "separate": (
        "separate --model {model} --out {folder}/out {folder}/a.wav",
        *("ai_edge_litert", "kerasep[edge]"),
    ),
    "stream": (
        "stream --model {model} --in {folder}/a.wav --out {folder}/out",
        *("ai_edge_litert", "kerasep[edge]"),
    ),
    "microphone": (
        "stream --model open_unmix_like/karaoke_causal --in microphone --out {folder}/out",
        *("sounddevice", "kerasep[live]"),
    ),
    "evaluate": (
        "evaluate --model open_unmix_like/karaoke --data {folder}/songs --measures pesq_wb",
        *("pesq", "kerasep[speech]"),
    ),
    "manifest": (
        "separate --model unet_like/karaoke --out {folder}/out {folder}/a.wav --runner direct",
        *("apache_beam", "kerasep[beam]"),
    ),
    "tensorflow-io": (
        "train open_unmix_like/small --data {folder}/songs --out {folder}/run "
        "--reader tensorflow-io",
        *("tensorflow_io", "kerasep[tfio]"),
    ),
}


def hide(monkeypatch, package):
    for name in [*sys.modules]:
        if name.split(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture(autouse=True)
def _fresh():
    from kerasep.data.audio import tfio
    from kerasep.reports import rendering

    for cached in (tfio.check_available, rendering._environment):
        cached.cache_clear()


@pytest.mark.parametrize("use", [*USES])
def test_functions_name_the_extra(use, monkeypatch, tmp_path):
    package, extra, function = USES[use]
    hide(monkeypatch, package)
    with pytest.raises(InputError, match="pip install") as caught:
        function(tmp_path)
    assert extra in str(caught.value)


@pytest.mark.parametrize("use", [*COMMANDS])
def test_commands_name_the_extra(use, monkeypatch, tmp_path, capsys):
    from kerasep import cli

    command, package, extra = COMMANDS[use]
    write_songs(tmp_path)
    kerasep.data.write(tmp_path / "a.wav", np.zeros((800, 1), "float32"), 8000)
    hide(monkeypatch, package)
    arguments = command.format(folder=tmp_path, model=content(tmp_path)).split()
    monkeypatch.setattr(sys, "argv", ["kerasep", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("kerasep: received ")
    assert extra in line

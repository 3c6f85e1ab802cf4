"""Every fenced example of the documentation: Python runs, commands are parsed."""

import functools
import pathlib
import re
import shlex
import shutil

import keras
import pytest
import typer

import kerasep
from kerasep.cli import app

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("guide/**/*.md")), ROOT / "docs/index.md"]
# What newcomers try first; the other pages are among the slow tests.
FAST = {"README.md", "index.md"}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL_LINE = re.compile(r"^(?:    )?(kerasep .+?)(?:\s+#.*)?$", re.MULTILINE)


def name(page):
    return str(page.relative_to(ROOT))


def program(page):
    """Return all Python of a page as one program, with the line numbers of the page."""
    text = page.read_text("utf-8")
    lines = []
    for fence in FENCE.finditer(text):
        if fence.group(1) == "python":
            lines += [""] * (text.count("\n", 0, fence.start(2)) - len(lines))
            lines += fence.group(2).splitlines()
    return "\n".join(lines)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder with songs/train, songs/test and song.flac of the examples, all short."""
    folder = tmp_path_factory.mktemp("examples")
    kerasep.data.write_songs(folder / "songs/train", 4, seconds=1.0)
    kerasep.data.write_songs(folder / "songs/test", 2, seed=1, seconds=1.0)
    mixture = sum(kerasep.data.song(2, seconds=1.5, channels=2).values())
    kerasep.data.write(folder / "song.flac", mixture, 16000)
    return folder


@pytest.fixture
def workplace(recordings, tmp_path, monkeypatch):
    """Change to a copy of the recordings."""
    shutil.copytree(recordings, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(monkeypatch):
    """Small models, crops and trainings, so that an example takes a second."""
    load, fit = kerasep.zoo.load, keras.Model.fit
    pipelines = kerasep.data.pipelines

    def small_load(name, weights=None, **overrides):
        if pathlib.Path(name).exists():
            return load(name, weights, **overrides)
        if weights in kerasep.zoo.list_entries():  # they do not fit a tiny model
            return load(name, weights, **overrides)
        if weights is None:
            weights = False
        return load(name, weights, **{**kerasep.zoo.describe(name)["tiny"], **overrides})

    def small_fit(self, *args, epochs=1, initial_epoch=0, **kwargs):
        epochs = min(epochs, initial_epoch + 1)
        return fit(self, *args, epochs=epochs, initial_epoch=initial_epoch, **kwargs)

    def small_crops(pipeline):
        @functools.wraps(pipeline)  # training reads the settings' names off the signature
        def small_pipeline(data, model, **options):
            options = {"batch_size": 2, "crop_seconds": 0.5, **options}
            options["crops_per_track"] = options.get("crops_per_track") and 2
            return pipeline(data, model, **options)

        return small_pipeline

    monkeypatch.setattr(kerasep.zoo, "load", small_load)
    monkeypatch.setattr(keras.Model, "fit", small_fit)
    for pipeline in ("spectrograms", "waveforms"):
        patched = small_crops(getattr(pipelines, pipeline))
        monkeypatch.setattr(kerasep.data, pipeline, patched, raising=False)


def programs():
    for page in PAGES:
        if program(page):
            slow = [] if page.name in FAST else [pytest.mark.slow]
            yield pytest.param(page, marks=slow, id=name(page))


@pytest.mark.parametrize("page", [*programs()])
def test_python_runs(page, workplace, small, capsys):
    keras.utils.set_random_seed(0)
    exec(compile(program(page), str(page), "exec"), {"__name__": "example"})


def commands():
    for page in PAGES:
        for line in SHELL_LINE.findall(page.read_text("utf-8")):
            yield pytest.param(line, id=f"{name(page)}:{line[:40]}")


@pytest.mark.parametrize("line", [*commands()])
def test_command_parses(line):
    group = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    context = group.make_context("kerasep", words[:1], resilient_parsing=False)
    while hasattr(group, "get_command"):
        name, *words = words
        group = group.get_command(context, name)
        assert group is not None, f"no command {name}"
        context = group.make_context(name, words[:], parent=context)

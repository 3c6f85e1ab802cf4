"""The page on adding an architecture, followed exactly in a copy of the project."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guide" / "add_architecture.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"<!-- import: (\S+) -->\n```py\n(.*? import (\w+)\n)```")


# The files of an entry of the zoo.
WAVE_UNET = (
    "kerasep/models/wave_unet_like.py",
    "kerasep/zoo/presets/wave_unet_like.json",
    "tests/models/test_wave_unet_like.py",
)


@pytest.fixture
def project(tmp_path):
    """A copy of the project."""
    for name in ("kerasep", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(project, *command):
    """Run Python in the copy; return its output."""
    environment = {**os.environ, "PYTHONPATH": str(project)}
    result = subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def sweep(project, *names, collect=False):
    """Run, or only collect, the tests of all entries for one; return how many there are."""
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-m", "slow or not slow"]
    command += ["-k", " or ".join(names)]
    command += ["tests/zoo", "tests/models", "tests/test_docstrings.py"]
    command += ["--deselect", "tests/zoo/test_costs.py", *(["--collect-only"] if collect else [])]
    return int(re.search(r"(\d+)(?:/\d+)? (?:passed|tests collected)", run(project, *command))[1])


@pytest.mark.slow
def test_two_files_and_an_import_are_enough(project):
    files = FILE.findall(PAGE.read_text("utf-8"))
    assert [name.rpartition(".")[2] for name, _ in files] == ["py", "json"]
    for name, text in files:
        assert not (project / name).exists()
        (project / name).write_text(text, "utf-8")
    [(name, line, model)] = IMPORT.findall(PAGE.read_text("utf-8"))
    package = (project / name).read_text("utf-8")
    assert package.count("__all__ = [\n") == 1
    package = package.replace("__all__ = [\n", f'{line}\n__all__ = [\n    "{model}",\n')
    (project / name).write_text(package, "utf-8")
    # The sweep over models, the presets' (built, exported, overfitted) and the docstring's example.
    assert sweep(project, "gru_filter", "GRUFilter") >= 19


@pytest.mark.slow
def test_an_entry_of_the_zoo_is_no_more(project):
    """Wave-U-Net is removed from the project, and restored by its files and its name."""
    listing = ("-c", "from kerasep import zoo; print(*zoo.list_entries())")
    for name in WAVE_UNET:
        (project / name).unlink()
    models = project / "kerasep/models/__init__.py"
    lines = models.read_text("utf-8").splitlines(keepends=True)
    models.write_text("".join(line for line in lines if "WaveUNetLike" not in line), "utf-8")
    without = run(project, *listing)
    assert "wave_unet_like" not in without
    assert "demucs_like" in without
    for name in (*WAVE_UNET, "kerasep/models/__init__.py"):
        shutil.copy(ROOT / name, project / name)
    assert "wave_unet_like" in run(project, *listing)
    # The files are those of the project, whose own tests run them.
    assert sweep(project, "wave_unet", "WaveUNet", collect=True) > 30

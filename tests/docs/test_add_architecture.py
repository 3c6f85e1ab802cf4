"""The page on adding an architecture, followed to the letter in a copy of the project."""

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


@pytest.mark.slow
def test_two_files_are_all_it_takes(tmp_path):
    for name in ("kerasep", "tests", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    files = FILE.findall(PAGE.read_text("utf-8"))
    assert [name.rpartition(".")[2] for name, _ in files] == ["py", "json"]
    for name, text in files:
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/zoo"]
    command += ["tests/models", "tests/test_docstrings.py", "-k", "gru_filter or GRUFilter"]
    command += ["--deselect", "tests/zoo/test_costs.py"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        [*command, "-m", "slow or not slow"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", result.stdout).group(1))
    # The sweep over models, the presets' (built, exported, overfitted) and the docstring's example.
    assert passed > 20

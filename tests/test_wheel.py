"""The wheel holds licences, weights, presets and stubs, and its metadata names the licence."""

import email
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the project, built from a copy."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        ROOT / "kerasep", folder / "kerasep", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    command = [sys.executable, "-c", build]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    [path] = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as file:
        yield file


@pytest.mark.slow
def test_files_of_the_wheel(wheel):
    names = {*wheel.namelist()}
    files = [path for path in (ROOT / "kerasep").rglob("*") if path.is_file()]
    kept = {".py", ".pyi", ".json", ".h5", ".md", ".html", ".css", ".typed"}
    expected = {str(path.relative_to(ROOT)) for path in files if path.suffix in kept}
    assert "kerasep/zoo/weights/LICENCES.md" in expected
    assert expected | {"kerasep/py.typed"} <= names
    [licence] = [name for name in names if name.endswith("licenses/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.slow
def test_metadata_of_the_wheel(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Author"] == "The kerasep authors"
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert {"Documentation", "Changelog", "Issues"} <= {*urls}
    assert all(url.startswith(metadata["Home-page"]) for url in urls.values())
    readme = metadata.get_payload(decode=True).decode()
    assert readme.strip() == (ROOT / "README.md").read_text("utf-8").strip()

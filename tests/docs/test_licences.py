"""Licences: that of the code is in the metadata, that of every weights file beside it."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
ZOO = ROOT / "kerasep/zoo"


def shipped():
    """Yield (file, licence, training data) of the weights in the package."""
    for file in ZOO.glob("presets/*.json"):
        for preset in json.loads(file.read_text("utf-8"))["presets"].values():
            for weights in preset.get("weights", {}).values():
                if "file" in weights:
                    yield weights["file"], weights["licence"], weights["data"]


def test_every_weights_file_is_listed_with_its_licence():
    text = (ZOO / "weights/LICENCES.md").read_text("utf-8")
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert sorted(rows) == sorted(shipped())
    assert {file for file, _, _ in rows} == {path.name for path in ZOO.glob("weights/*.h5")}


def test_licence_of_the_code():
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
    assert 'license_expression="Apache-2.0"' in (ROOT / "setup.py").read_text("utf-8")
    assert "license: Apache-2.0" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_citation_has_the_version():
    version = re.search(r'__version__ = "(.+)"', (ROOT / "kerasep/__init__.py").read_text("utf-8"))
    assert f"version: {version[1]}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_one_address_of_the_repository():
    """All files name the repository of setup.py, and links to its files lead to files."""
    address = re.search(r'REPOSITORY = "(.+)"', (ROOT / "setup.py").read_text("utf-8"))[1]
    pages = [*ROOT.glob("*.md"), ROOT / "CITATION.cff", *ROOT.glob("docs/**/*.md")]
    for page in pages:
        text = page.read_text("utf-8")
        assert {*re.findall(r"https://github\.com/[\w-]+/kerasep\b", text)} <= {address}, page
        for path in re.findall(address + r"/(?:blob|tree)/main/([^)\s#\"]+)", text):
            assert (ROOT / path).exists(), f"{page}: {path}"


def test_readme_has_no_relative_links():
    """The page is also shown by package indexes."""
    text = (ROOT / "README.md").read_text("utf-8")
    links = re.findall(r"\]\((.+?)\)|(?:src|srcset|href)=\"(.+?)\"", text)
    assert [
        link for pair in links for link in pair if link and not link.startswith("https://")
    ] == []

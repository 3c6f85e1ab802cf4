"""Files of the package that pages and programs in other languages mention exist."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
PATH = re.compile(r"(?<![\w/.-])kerasep/[\w/]+\.(?:py|json)\b")
# The page on adding an architecture writes these.
TO_BE_WRITTEN = {"kerasep/models/gru_filter_like.py", "kerasep/zoo/presets/gru_filter_like.json"}


def test_mentioned_files_exist():
    pages = [ROOT / "README.md"]
    for folder, pattern in (("docs", "*.md"), ("zoo", "*.md"), ("tflite", "*")):
        pages += (ROOT / folder).rglob(pattern)
    missing = {
        f"{page.relative_to(ROOT)}: {path}"
        for page in pages
        if page.suffix in {".md", ".c", ".h", ".kt", ".swift", ".js", ".html", ".mjs"}
        and "node_modules" not in page.parts
        for path in PATH.findall(page.read_text("utf-8"))
        if path not in TO_BE_WRITTEN and not (ROOT / path).exists()
    }
    assert not missing

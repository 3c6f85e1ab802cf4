"""Build kerasep-runtime from the modules of kerasep that running a `.tflite` file needs.

From a checkout they are copied into `src/kerasep_runtime/`: `kerasep_runtime.py`, and all that it
imports, directly or not. A source distribution has the copies.
"""

import ast
import pathlib
import re
import shutil

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent.resolve()
SOURCE = HERE.parents[1] / "kerasep"
COPY = HERE / "src" / "kerasep_runtime"
# What `separate_file` imports to separate with a model of Keras.
LEFT_OUT = {"kerasep.separation.separator", "kerasep.zoo"}


def file_of(module):
    """Return the file of a module of kerasep, or None for another name."""
    path = SOURCE.parent.joinpath(*module.split("."))
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


def imported(file):
    """Return the full names of all that a file of kerasep, and its stub, may import."""
    names = set()
    for path in {file, file.with_suffix(".pyi")}:
        tree = ast.parse(path.read_text("utf-8")) if path.is_file() else ast.Module([])
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                package = ["kerasep", *file.parent.relative_to(SOURCE).parts] * bool(node.level)
                module = ".".join([*package, *([node.module] if node.module else [])])
                modules = {f"{module}.{alias.name}" for alias in node.names}
                # A package is needed itself only for names that are not its modules.
                names |= {name if file_of(name) else module for name in modules}
    return names


def needed_files():
    """Return the files of kerasep that the entry imports, directly or not."""
    entry = (HERE / "kerasep_runtime.py").read_text("utf-8")
    names = re.findall(r"^from kerasep_runtime\.(\S+) import", entry, re.MULTILINE)
    todo, files = [f"kerasep.{name}" for name in names], set()
    while todo:
        file = file_of(todo.pop())
        if file and file not in files:
            files.add(file)
            todo += {name for name in imported(file) if name.startswith("kerasep.")} - LEFT_OUT
    return files


def renamed(text):
    """Return the text of a module with kerasep's name replaced in imports and in messages."""
    text = re.sub(r"^(\s*(?:from|import) kerasep)(?=\.)", r"\1_runtime", text, flags=re.MULTILINE)
    text = text.replace("kerasep[edge]", "kerasep-runtime")
    return re.sub(r"kerasep\.tflite\.(?=(Stream)?Runtime)", "kerasep_runtime.", text)


def copy_modules():
    """Write `src/kerasep_runtime/`; packages of which only a module is needed become empty."""
    for earlier in (COPY, HERE / "build"):
        shutil.rmtree(earlier, ignore_errors=True)
    for file in needed_files():
        target = COPY / file.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renamed(file.read_text("utf-8")), "utf-8")
        if file.with_suffix(".pyi").is_file():
            shutil.copy(file.with_suffix(".pyi"), target.with_suffix(".pyi"))
    for folder in {parent for file in COPY.rglob("*.py") for parent in file.parents}:
        if folder.is_relative_to(COPY):
            (folder / "__init__.py").touch()
    version = re.search("__version__ = .+", (SOURCE / "__init__.py").read_text("utf-8"))[0]
    entry = (HERE / "kerasep_runtime.py").read_text("utf-8")
    (COPY / "__init__.py").write_text(f"{entry}{version}\n", "utf-8")


if not (HERE / "PKG-INFO").is_file():
    copy_modules()
VERSION = re.search(r'__version__ = "(.+)"', (COPY / "__init__.py").read_text("utf-8"))[1]
setup(
    name="kerasep-runtime",
    version=VERSION,
    description="Audio source separation with .tflite files from kerasep, without TensorFlow",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    package_dir={"": "src"},
    packages=find_packages(str(HERE / "src")),
    package_data={"": ["*.pyi"]},
    install_requires=["ai-edge-litert>=2.3", "lazy_loader", "numpy"],
    extras_require={
        "audio": ["soundfile", "soxr"],
        "media": ["soundfile", "soxr", "av", "mutagen"],
    },
)

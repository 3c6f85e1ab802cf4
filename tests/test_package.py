"""The installed package: lazy names resolve, importing is cheap, data files travel with it."""

import ast
import importlib
import inspect
import pathlib
import runpy
import subprocess
import sys

import pytest
import setuptools

import kerasep

ROOT = pathlib.Path(kerasep.__file__).parent
STUBS = sorted(ROOT.rglob("*.pyi"))
REFERENCE = pathlib.Path(__file__).parent / "docs" / "test_reference.py"


def module_name(stub):
    return ".".join(stub.parent.relative_to(ROOT.parent).parts)


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_every_name_of_a_stub_resolves(stub):
    module = importlib.import_module(module_name(stub))
    imports = [
        node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)
    ]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    assert names >= {*module.__all__}
    for name in names:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("module", ["kerasep", "kerasep.data", "kerasep.tflite"])
def test_importing_loads_no_big_package(module):
    big = "{'tensorflow', 'keras', 'numpy', 'scipy', 'rich', 'typer'}"
    script = f"import sys, {module}; sys.exit(', '.join({big} & set(sys.modules)) or 0)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_data_files_are_packaged(monkeypatch):
    settings = {}
    monkeypatch.setattr(setuptools, "setup", settings.update)
    runpy.run_path(str(ROOT.parent / "setup.py"))
    packaged = {
        path
        for package, patterns in settings["package_data"].items()
        for folder in (
            [ROOT, *ROOT.rglob("*/")] if not package else [ROOT.parent / package.replace(".", "/")]
        )
        for pattern in patterns
        for path in folder.glob(pattern)
    }
    files = {path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {*STUBS, ROOT / "py.typed", ROOT / "reports/templates/base.html"} <= packaged
    assert {path for path in files if path.suffix != ".py"} == packaged


def functions(name, value):
    """Yield (name, function, parameters to skip) of a function, or of a class and its methods."""
    if not inspect.isclass(value):
        if callable(value):
            yield name, value, 0
        return
    if "__init__" in vars(value):
        yield name, value, 0
    for key, member in vars(value).items():
        if key.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"{name}.{key}", member.fget, 1
        elif isinstance(member, classmethod | staticmethod):
            yield f"{name}.{key}", getattr(value, key), 0
        elif inspect.isfunction(member):
            yield f"{name}.{key}", member, 1


def without_hint(function, skipped):
    """Return what lacks a type hint: names of parameters, and "return"."""
    signature = inspect.signature(function)
    parameters = [*signature.parameters.values()][skipped:]
    missing = [each.name for each in parameters if each.annotation is each.empty]
    returns = inspect.isclass(function) or signature.return_annotation is not signature.empty
    return missing if returns else [*missing, "return"]


def test_public_functions_have_type_hints():
    reference = runpy.run_path(str(REFERENCE))
    missing = [
        f"{name}: {', '.join(hints)}"
        for listed in reference["LISTED"]
        for name, function, skipped in functions(listed, reference["find"](listed))
        if (hints := without_hint(function, skipped))
    ]
    assert not missing, "\n".join(["add type hints to", *missing])

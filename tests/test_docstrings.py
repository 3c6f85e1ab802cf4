"""Every public name is documented by an example, and every example runs."""

import ast
import contextlib
import dataclasses
import doctest
import importlib
import inspect
import io
import pathlib
import re
import textwrap

import keras
import pytest

import kerasep

ROOT = pathlib.Path(kerasep.__file__).parent
FENCED = re.compile(r"^[ ]*```python\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)


# What runs on every backend; files and exports need TensorFlow.
PORTABLE = {"ops", "targets", "losses", "metrics", "layers", "models"}
# What trains, exports or starts processes takes seconds an example.
SLOW = {"data", "tflite", "streaming", "training", "zoo", "importers"}


def room(module):
    return [*module.split("."), ""][1]


def module_name(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def documented(node, prefix=""):
    """Yield (qualified name, docstring) of a module and all that it defines."""
    yield prefix, ast.get_docstring(node) or ""
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            yield from documented(child, f"{prefix}.{child.name}".lstrip("."))


def examples():
    for module, path in MODULES.items():
        if keras.backend.backend() != "tensorflow" and room(module) not in PORTABLE:
            continue
        for name, text in documented(ast.parse(path.read_text("utf-8"))):
            if ">>>" in text or "```" in text:
                is_slow = room(module) in SLOW or module == "kerasep.separation.archives"
                slow = [pytest.mark.slow] if is_slow else []
                yield pytest.param(module, text, marks=slow, id=f"{module}:{name}")


@pytest.mark.parametrize(("module", "text"), [*examples()])
def test_example_runs(module, text, tmp_path, monkeypatch):
    if module == "kerasep.separation.archives":
        pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    monkeypatch.chdir(tmp_path)
    names = dict(vars(importlib.import_module(module)))
    sessions = FENCED.sub("", text)
    test = doctest.DocTestParser().get_doctest(sessions, names, module, None, None)
    report = io.StringIO()
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.write)
    assert results.failed == 0, report.getvalue()
    blocks = FENCED.findall(text)
    assert test.examples or blocks, "a fence that is not ```python"
    for block in blocks:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(textwrap.dedent(block), module, "exec"), {"__name__": "example"})


def public():
    for module, path in MODULES.items():
        if module.startswith("kerasep.data."):  # what of it is public, `kerasep.data` has
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]):
                yield module


@pytest.mark.parametrize("module", [*public()])
def test_public_names_have_examples(module):
    module = importlib.import_module(module)
    for name in module.__all__:
        value = getattr(module, name)
        if not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        text = inspect.getdoc(value) or ""
        assert text, f"{module.__name__}.{name} has no docstring"
        # Records and errors are what others make.
        record = dataclasses.is_dataclass(value) or hasattr(value, "_fields")
        if record or (inspect.isclass(value) and issubclass(value, Exception)):
            continue
        if set(inspect.signature(value).parameters) - {"args", "kwargs"}:
            assert re.search(r"^Example:", text, re.MULTILINE), f"{module.__name__}.{name}"

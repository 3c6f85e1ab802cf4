"""`make install`: a program outside finds the library by pkg-config and by CMake."""

import os
import shutil
import subprocess

import pytest

import kerasep

PROGRAM = """
#include <kerasep.h>
#include <stdio.h>

int main(int count, char **arguments) {
    kerasep_error error;
    kerasep *model = kerasep_open(arguments[count - 1], 1, &error);
    printf("%s %s\\n", kerasep_version(), model ? kerasep_describe(model)->sources[0] : error.text);
    kerasep_close(model);
    return !model;
}
"""
LISTS = f"""
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(kerasep {kerasep.__version__} REQUIRED)
foreach(kind kerasep static)
  add_executable(with_${{kind}} consumer.c)
  target_link_libraries(with_${{kind}} PRIVATE kerasep::${{kind}})
endforeach()
"""


@pytest.fixture(scope="module")
def installed(build, tmp_path_factory):
    """Prefix of an installation, whose build folder is gone."""
    folder = tmp_path_factory.mktemp("building")
    prefix = tmp_path_factory.mktemp("prefix")
    done = build(folder, ("install",), PREFIX=prefix)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(folder)
    return prefix


@pytest.fixture
def consumer(tmp_path):
    """Folder of a program's source."""
    (tmp_path / "consumer.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(LISTS)
    return tmp_path


def _done(*command, **settings):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _needs(tool):
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool}: apt-get install {tool}")


def test_the_installed_command_runs(installed, tiny):
    assert "sources      same square" in _done(installed / "bin" / "kerasep-native", tiny)


@pytest.mark.parametrize("options", [[], ["--static"]])
def test_pkg_config(installed, consumer, tiny, options):
    _needs("pkg-config")
    settings = os.environ | {"PKG_CONFIG_PATH": str(installed / "lib" / "pkgconfig")}
    flags = _done("pkg-config", "--cflags", "--libs", *options, "kerasep", env=settings).split()
    if options:
        flags = [flag.replace("-lkerasep", "-l:libkerasep.a") for flag in flags]
    _done("cc", consumer / "consumer.c", "-o", consumer / "program", *flags)
    assert _done(consumer / "program", tiny) == f"{kerasep.__version__} same\n"


def test_cmake(installed, consumer, tiny):
    _needs("cmake")
    _done("cmake", "-S", consumer, "-B", consumer / "b", f"-DCMAKE_PREFIX_PATH={installed}")
    _done("cmake", "--build", consumer / "b")
    for kind in ("kerasep", "static"):
        assert _done(consumer / "b" / f"with_{kind}", tiny) == f"{kerasep.__version__} same\n"


def test_packages_are_staged(build, tmp_path):
    done = build(tmp_path / "b", ("install",), PREFIX="/usr", DESTDIR=tmp_path / "stage")
    assert done.returncode == 0, done.stdout + done.stderr
    description = tmp_path / "stage" / "usr" / "lib" / "pkgconfig" / "kerasep.pc"
    assert description.read_text().startswith("prefix=/usr\n")

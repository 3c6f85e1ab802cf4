"""The package's metadata; pyproject.toml holds the build system and the tools' settings."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
REPOSITORY = "https://github.com/kerasep/kerasep"
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "kerasep/__init__.py").read_text()).group(1)

setup(
    name="kerasep",
    version=VERSION,
    description="The Keras model zoo for audio source separation",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    author="The kerasep authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    url=REPOSITORY,
    project_urls={
        "Documentation": f"{REPOSITORY}/tree/main/docs",
        "Model cards": f"{REPOSITORY}/tree/main/zoo",
        "Changelog": f"{REPOSITORY}/blob/main/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
    },
    keywords=[
        "audio",
        "source separation",
        "music",
        "speech",
        "stems",
        "vocals",
        "karaoke",
        "keras",
        "tflite",
        "litert",
    ],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["kerasep", "kerasep.*"]),
    package_data={
        "": ["*.pyi"],
        "kerasep": ["py.typed"],
        "kerasep.reports": ["templates/*"],
        "kerasep.zoo": ["presets/*.json", "weights/*.weights.h5", "weights/LICENCES.md"],
    },
    install_requires=[
        "tensorflow>=2.16,<3",
        "keras>=3.13,<4",
        "google-crc32c",
        "h5py",
        "lazy_loader",
        "numpy",
        "soundfile",
        "soxr",
        "av",
        "msgspec",
        "mutagen>=1.45",
        "psutil",
        "pyyaml>=6",
        "requests",
        "rich>=14.1",
        "scipy",
        "tensorboard",
        "typer",
    ],
    extras_require={
        "edge": ["ai-edge-litert>=2.3", "ai-edge-quantizer>=0.10"],
        "live": ["sounddevice>=0.4"],
        "speech": ["pesq", "pystoi"],
        "report": ["jinja2", "matplotlib"],
        "tfio": ["tensorflow-io==0.37.1; python_version<'3.13'"],
        "jax": ["jax"],
        "beam": ["apache-beam>=2.77"],
        "docs": ["furo", "matplotlib", "myst-nb", "sphinx"],
        "dev": [
            "hypothesis",
            "imageio-ffmpeg",
            "ipykernel",
            "mypy",
            "nbclient",
            "pytest",
            "pytest-xdist",
            "ruff",
            "setuptools>=77",
        ],
    },
    entry_points={"console_scripts": ["kerasep = kerasep.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)

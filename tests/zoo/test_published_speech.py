"""The published weights of GTCRN and UL-UNAS, served from this machine in the author's place."""

import os
import pathlib
import shutil

import numpy as np
import pytest

from kerasep import importers, zoo
from kerasep.zoo import cards

WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
FOLDERS = {"gtcrn_like/gtcrn": "gtcrn", "ul_unas_like/ul_unas": "ul_unas"}


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="no published weights: set KERASEP_WEIGHTS")
@pytest.mark.parametrize(
    ("name", "weights"),
    [
        *(("gtcrn_like/gtcrn", weights) for weights in (True, "dns3_checkpoint", "vctk")),
        ("ul_unas_like/ul_unas", True),
    ],
)
def test_published_weights_are_downloaded(name, weights, server, monkeypatch):
    entry, preset = name.split("/")
    known = cards.all_cards()
    sets = known[entry]["presets"][preset]["weights"]
    chosen = next(iter(sets.values())) if weights is True else sets[weights]
    # The address names repository and commit, then the path in the repository.
    path = WEIGHTS / FOLDERS[name] / pathlib.Path(*chosen["files"]["all"]["url"].split("/")[6:])
    shutil.copy(path, server.folder)
    chosen["files"]["all"]["url"] = f"{server.url}/{path.name}"
    monkeypatch.setattr(cards, "all_cards", lambda: known)

    model = zoo.load(name, weights=weights)
    assert (model.trained, model.licence) == (True, "MIT")
    assert [path for path, _ in server.requests] == [f"/{path.name}"]
    expected = importers.load(zoo.load(name, weights=False), path)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

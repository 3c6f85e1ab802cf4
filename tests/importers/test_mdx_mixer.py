import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers import mdx_mixer


@pytest.fixture
def stems(rng):
    return {name: rng.standard_normal((50, 2)) for name in ("vocals", "drums", "bass", "other")}


def test_the_published_formula(write_checkpoint, rng, stems):
    """One linear layer over the channels of bass, drums, other, vocals and the mixture."""
    matrix = rng.standard_normal((8, 10)).astype("float32")
    mixture = rng.standard_normal((50, 2))
    weights = mdx_mixer.read(write_checkpoint("mixer.ckpt", {"linear.weight": matrix}))
    order = [stems["bass"], stems["drums"], stems["other"], stems["vocals"], mixture]
    expected = np.concatenate(order, axis=1) @ matrix.T
    found = mdx_mixer.mixed(stems, mixture, weights)
    assert list(found) == ["bass", "drums", "other", "vocals"]
    together = np.concatenate([*found.values()], axis=1)
    np.testing.assert_allclose(together, expected, atol=1e-5)


def test_refusals(write_checkpoint, stems):
    path = write_checkpoint("other.ckpt", {"linear.weight": np.ones((8, 8), "float32")})
    with pytest.raises(InputError, match=r"shape \(8, 8\), expected \(8, 10\)"):
        mdx_mixer.read(path)
    with pytest.raises(InputError, match=r"without linear\.weight, expected the weights of KUIE"):
        mdx_mixer.read(write_checkpoint("net.ckpt", {"conv.weight": np.ones(3)}))
    weights, mixture = np.zeros((4, 2, 5, 2)), np.zeros((50, 2))
    mono = stems | {"bass": np.zeros((50, 1))}
    short = {name: stem[:40] for name, stem in stems.items()}
    for wrong in ({"vocals": mixture}, mono, short):
        with pytest.raises(InputError, match="expected bass, drums, other, vocals, all"):
            mdx_mixer.mixed(wrong, mixture, weights)
    with pytest.raises(InputError, match="for a mixture of shape"):
        mdx_mixer.mixed(stems, np.zeros(50), weights)

import numpy as np
from keras.ops import convert_to_numpy

from kerasep.layers import Interpolate


def test_means_between_samples():
    x = np.array([[[1.0, 0.0], [2.0, 8.0], [4.0, 0.0]]], "float32")
    doubled = convert_to_numpy(Interpolate()(x))
    np.testing.assert_array_equal(doubled[0, :, 0], [1, 1.5, 2, 3, 4, 4])
    np.testing.assert_array_equal(doubled[0, :, 1], [0, 4, 8, 4, 0, 0])
    np.testing.assert_array_equal(convert_to_numpy(Interpolate(extend=False)(x)), doubled[:, :-1])


def test_a_share_learned_for_each_feature():
    x = np.array([[[1.0, 1.0], [3.0, 3.0]]], "float32")
    layer = Interpolate(learned=True)
    layer.build(x.shape)
    layer.share.assign([100.0, 0.0])
    doubled = convert_to_numpy(layer(x))
    np.testing.assert_allclose(doubled[0, :, 0], [1, 1, 3, 3])
    np.testing.assert_allclose(doubled[0, :, 1], [1, 2, 3, 1.5])

"""What networks on a learned filterbank, such as Conv-TasNet and DPRNN, begin and end with."""

from keras import layers as kl

from kerasep.layers import LearnedAnalysis, LearnedSynthesis


def sample_rows(mixture):
    """Put the samples of all channels in one row: a frame then holds them all.

    Args:
        mixture: Keras input `(batch, samples, channels)`.

    Returns:
        Keras tensor `(batch, samples * channels, 1)`.

    Example:
    >>> import keras
    >>> sample_rows(keras.Input((100, 2))).shape
    (None, 200, 1)
    """
    return kl.Reshape((-1, 1), name="row", dtype="float32")(mixture)


def analysed(row, filters, kernel_size, hop, activation):
    """Analyse a row of samples by learned filters; samples left over at the end are not seen.

    Args:
        row: Keras tensor `(batch, samples, 1)`, from `sample_rows`.
        filters: number of filters.
        kernel_size: their length, in samples of the row.
        hop: from frame to frame, in samples of the row.
        activation: of the features.

    Returns:
        Features `(batch, frames, filters, 1)`, and the same as `(batch, frames, filters)`.

    Raises:
        InputError: for no filters, or a hop beyond the kernel size.

    Example:
    >>> import keras
    >>> features, frames = analysed(keras.Input((None, 1)), 64, 16, 8, "linear")
    >>> features.shape, frames.shape
    ((None, None, 64, 1), (None, None, 64))
    """
    encoder = LearnedAnalysis(filters, kernel_size, hop, activation, fill=False, name="encoder")
    features = encoder(row)
    return features, kl.Reshape((-1, filters), name="frames", dtype="float32")(features)


def masked(masks, features):
    """Multiply masks with features.

    Args:
        masks: Keras tensor `(batch, frames, filters, sources)`.
        features: Keras tensor `(batch, frames, filters, 1)`.

    Returns:
        Keras tensor `(batch, frames, filters, 1, sources)`, as `LearnedSynthesis` takes it.

    Example:
    >>> import keras
    >>> masked(keras.Input((None, 64, 2)), keras.Input((None, 64, 1))).shape
    (None, None, 64, 1, 2)
    """
    products = kl.Multiply(name="masked", dtype="float32")([masks, features])
    shape = (-1, masks.shape[2], 1, masks.shape[3])
    return kl.Reshape(shape, name="apart", dtype="float32")(products)


def synthesised(features, row, kernel_size, hop, channels):
    """Turn the sources' features into their waveforms.

    Args:
        features: Keras tensor `(batch, frames, filters, 1, sources)`.
        row: the mixture's, from `sample_rows`: the waveforms have its length.
        kernel_size: length of the filters, in samples of the row.
        hop: from frame to frame, in samples of the row.
        channels: that the row holds.

    Returns:
        Keras tensor `(batch, samples, channels, sources)`.

    Example:
    >>> import keras
    >>> row = keras.Input((None, 1))
    >>> synthesised(keras.Input((None, 64, 1, 2)), row, 32, 16, channels=2).shape
    (None, None, 2, 2)
    """
    rows = LearnedSynthesis(kernel_size, hop, name="decoder")(features, row)
    shape = (-1, channels, features.shape[-1])
    return kl.Reshape(shape, name="sources", dtype="float32")(rows)

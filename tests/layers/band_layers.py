"""What the tests of every layer know about the layers over frames and bands."""

EXAMPLES = {
    "AxialLSTM": ({"units": 3, "axis": 2, "epsilon": 1e-4}, [(2, 9, 3, 6)]),
    "AxialTransformer": (
        {"axis": 2, "heads": 2, "head_features": 4, "expansion": 2, "output_norm": True},
        [(2, 9, 3, 6)],
    ),
    "BandMasks": (
        {"bands": [[0, 3], [2, 5]], "channels": 1, "hidden": 4, "hidden_layers": 2},
        [(2, 9, 2, 6)],
    ),
    "BandSplit": ({"bands": [[0, 3], [2, 5]], "features": 4}, [(2, 9, 5, 2, 2)]),
    "BinEmbedding": ({"axis": 2, "scale": 1.5, "initial": 0.5}, [(2, 9, 5, 6)]),
    "DilatedResidual": (
        {"dilation": 2, "compression": 3, "kernel_size": 5, "initial": 0.5},
        [(2, 9, 5, 6)],
    ),
    "LayerScale": ({"initial": 0.5}, [(2, 9, 5, 6)]),
    "SinusoidalPositions": ({"period": 100.0}, [(2, 9, 5, 8)]),
    "TransformerBlock": (
        {"heads": 2, "expansion": 2, "dropout": 0.1},
        [(2, 9, 6), (2, 7, 6)],
    ),
    "RotaryPositions": ({"base": 100.0}, [(2, 9, 3, 4)]),
    "AffinePReLU": ({"slope": 0.1}, [(2, 9, 7, 4)]),
    "ApplyComplexMask": ({}, [(2, 9, 33, 2, 2), (2, 9, 33, 2, 2)]),
    "CausalConv2D": (
        {
            "filters": 6,
            "kernel_size": (3, 5),
            "stride": 2,
            "dilation": 2,
            "groups": 2,
            "transposed": True,
            "use_bias": False,
        },
        [(2, 9, 7, 4)],
    ),
    "ChannelShuffle": ({"groups": 3}, [(2, 9, 7, 6)]),
    "ConvolutionModule": (
        {"blocks": 2, "compression": 2, "kernel_size": 5, "epsilon": 1e-4},
        [(2, 9, 3, 6)],
    ),
    "ERBScale": ({"sample_rate": 8000, "low": 9, "bands": 8}, [(2, 9, 33, 2)]),
    "FeatureFFT": ({}, [(2, 9, 3, 6)]),
    "FrequencyAttention": ({"size": 3}, [(2, 9, 7, 4)]),
    "GroupedGRU": (
        {"units": 8, "groups": 1, "over": "bands", "bidirectional": True},
        [(2, 9, 7, 4)],
    ),
    "InverseERBScale": ({"sample_rate": 8000, "n_fft": 64, "low": 9}, [(2, 9, 17, 2)]),
    "InverseFeatureFFT": ({}, [(2, 9, 3, 6)]),
    "SubbandFeatures": ({"size": 5}, [(2, 9, 7, 4)]),
    "TemporalAttention": ({}, [(2, 9, 7, 4)]),
}
SCALES = {"ApplyComplexMask", "ERBScale", "InverseERBScale"}
FLOAT32 = SCALES | {"BandMasks", "FeatureFFT", "GroupedGRU", "InverseFeatureFFT"}
# Layers whose channels are features, not those of the audio.
MIXING = EXAMPLES.keys() - SCALES

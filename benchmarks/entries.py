"""The entries of the zoo whose originals are in PyTorch: how these are made, saved and run.

For each preset: what makes the original, and how it is run on our axes. Some also have arguments of
ours that differ from the preset's (`overrides`), how the original is saved for
`kerasep.importers` (`save`), which lengths it takes (`samples`), and whether it takes magnitudes
(`stft`).
"""

import originals


def save_asteroid(network, path):
    """Write a file as Asteroid publishes it."""
    import torch

    contents = {"model_name": type(network).__name__, "model_args": network.get_model_args()}
    torch.save({**contents, "state_dict": network.state_dict()}, path)


def save_state(network, path):
    """Write the weights alone."""
    import torch

    torch.save(network.state_dict(), path)


def save_nussl(network, path):
    """Write a file as nussl does."""
    network.save(str(path))


def trimmed(network, x):
    """Run Demucs on a waveform that is padded to a length of its, and cut the result."""
    import torch

    missing = network.valid_length(x.shape[1]) - x.shape[1]
    before = missing // 2
    padded = torch.nn.functional.pad(x.permute(0, 2, 1), (before, missing - before))
    estimates = network(padded)
    first = (estimates.shape[-1] - x.shape[1]) // 2
    return estimates[..., first : first + x.shape[1]].permute(0, 3, 2, 1)


def several(network, x):
    """Run a network that separates waveforms of channels into waveforms of sources."""
    return network(x.permute(0, 2, 1)).permute(0, 3, 2, 1)


def single(network, x):
    """Run a network that separates waveforms of channels into those of its only source."""
    return network(x.permute(0, 2, 1)).permute(0, 2, 1)[..., None]


def one_channel(network, x):
    """Run a network of one channel."""
    return network(x.permute(0, 2, 1)).permute(0, 2, 1)[:, :, None]


def complex_unet(network, x):
    """Run MDX-Net between its transforms: the stem, and the rest of the mixture."""
    import torch

    batch, samples, channels = x.shape
    transform = {"n_fft": MDX["n_fft"], "hop_length": MDX["hop"]}
    transform["window"] = torch.hann_window(MDX["n_fft"], device=x.device)
    flat = x.permute(0, 2, 1).reshape(-1, samples)
    spectrum = torch.view_as_real(torch.stft(flat, **transform, return_complex=True))
    frames = spectrum.shape[2]
    parts = spectrum[:, : MDX["bins"]].permute(0, 3, 1, 2).reshape(batch, -1, MDX["bins"], frames)
    parts = torch.cat([torch.zeros_like(parts[:, :, :3]), parts[:, :, 3:]], dim=2)
    parts = network(parts).float().reshape(-1, 2, MDX["bins"], frames).permute(0, 2, 3, 1)
    missing = MDX["n_fft"] // 2 + 1 - MDX["bins"]
    spectrum = torch.nn.functional.pad(parts, (0, 0, 0, 0, 0, missing)).contiguous()
    stem = torch.istft(torch.view_as_complex(spectrum), **transform, length=samples)
    stem = stem.reshape(batch, channels, samples).permute(0, 2, 1)
    return torch.stack([stem, x - 1.035 * stem], dim=-1)


def whole(step):
    """Return a function that cuts a length to a whole number of steps."""
    return lambda samples: samples // step * step


def whole_frames(samples):
    """Round a length to one of which MDX-Net pads nothing."""
    return MDX["hop"] * (32 * max(1, round((1 + samples / MDX["hop"]) / 32)) - 1)


# nussl divides its transform by the sum of the window, 256 samples of a root of Hann's.
NUSSL = 162.97
TRUNK = {
    "num_features": 129,
    "hidden_size": 600,
    "num_layers": 4,
    "bidirectional": True,
    "dropout": 0.3,
    "num_sources": 2,
    "mask_activation": ["sigmoid"],
}
ROFORMER = {
    "dim": 384,
    "depth": 8,
    "stereo": True,
    "num_stems": 4,
    "stft_hop_length": 441,
    "time_transformer_depth": 1,
    "freq_transformer_depth": 1,
    "mlp_expansion_factor": 2,
}
SMALL_ROFORMER = ROFORMER | {
    "dim": 192,
    "depth": 4,
    "heads": 4,
    "dim_head": 48,
    "num_stems": 1,
    "stft_hop_length": 512,
    "mlp_expansion_factor": 1,
}
UMX = {"nb_bins": 2049, "max_bin": 1487, "hidden_size": 512}
MDX = {"n_fft": 6144, "hop": 1024, "bins": 2048}
STEMS = ["drums", "bass", "other", "vocals"]
ENTRIES = {
    "conv_tasnet_like/speech": {
        "original": lambda: originals.asteroid("conv_tasnet", n_src=2, mask_act="relu"),
        "save": save_asteroid,
        "run": one_channel,
    },
    "dprnn_like/k16": {
        "original": lambda: originals.asteroid("dprnn_tasnet", n_src=2),
        "save": save_asteroid,
        "run": one_channel,
    },
    "mask_inference_like/speech": {
        "original": lambda: originals.nussl("mask_inference", **TRUNK),
        "save": save_nussl,
        "run": lambda network, x: network(mix_magnitude=x / NUSSL)["estimates"] * NUSSL,
        "overrides": {"activation": "sigmoid"},
        "stft": True,
    },
    "open_unmix_like/umxhq": {
        "original": lambda: originals.openunmix(**UMX),
        "save": save_state,
        "run": lambda network, x: network(x.permute(0, 3, 2, 1)).permute(0, 3, 2, 1)[..., None],
        "overrides": {"sources": ["vocals"]},
        "stft": True,
    },
    "demucs_like/light": {
        "original": lambda: originals.demucs(sources=STEMS, channels=32, resample=False),
        "save": save_state,
        "run": trimmed,
        "overrides": {"filters": 32, "normalize": False},
    },
    "htdemucs_like/htdemucs": {
        "original": lambda: originals.htdemucs(STEMS),
        "run": several,
        "overrides": {"normalize": False},
    },
    "scnet_like/small": {"original": lambda: originals.scnet(), "run": several},
    "mdx_net_like/vocals_g32": {
        "original": lambda: originals.mdx_net(2048, 32, 5, 3, 8),
        "run": complex_unet,
        "samples": whole_frames,
    },
    "bs_roformer_like/small": {
        "original": lambda: originals.bs_roformer(**SMALL_ROFORMER, mask_estimator_depth=2),
        "run": single,
        "samples": whole(512),
    },
    "bs_roformer_like/musdb": {
        "original": lambda: originals.bs_roformer(**ROFORMER),
        "save": save_state,
        "run": several,
    },
    "mel_band_roformer_like/small": {
        "original": lambda: originals.mel_band_roformer(
            **SMALL_ROFORMER, num_bands=60, sample_rate=44100, mlp_hidden_layers=1
        ),
        "run": single,
        "samples": whole(512),
    },
    "hs_tasnet_like/full": {
        "original": lambda: originals.hs_tasnet(),
        "save": save_state,
        "run": lambda network, x: network(x.permute(0, 2, 1))[0].permute(0, 3, 2, 1),
        "samples": whole(1024),
    },
}

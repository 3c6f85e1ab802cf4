"""Trains Open-Unmix' own PyTorch model by its own recipe, on the crops of a preset of ours.

    python zoo/open_unmix_like/original.py mir1k/train mir1k/valid original --epochs 70

needs torch, torchaudio and openunmix beside kerasep. One network for each source, mean squared
error of the magnitudes, Adam at 1e-3 with weight decay 1e-5, the rate lowered to 0.3 of itself on a
plateau of 80 epochs: the settings of its training script. The crops, their order and what is done
to them are those that `kerasep train` draws with the same seed. After every epoch the estimates get
the mixture's phase and are scored on the validation crops as ours are: mean SNR of all sources, in
dB. The folder gets history.csv and, for each source, weights that `kerasep import` reads.
"""

import argparse
import csv
import itertools
import pathlib
import time

import numpy as np
import torch
from openunmix.model import OpenUnmix
from openunmix.transforms import ComplexNorm, make_filterbanks

from kerasep import data, zoo


def statistics(batches, encoder):
    """Mean and deviation of each bin of the mixtures, over some minutes of crops."""
    total = squares = count = 0
    for mixture, _ in batches:
        magnitude = encoder(mixture)[:, 0].double()
        total, squares = total + magnitude.sum((0, 2)), squares + magnitude.square().sum((0, 2))
        count += magnitude.shape[0] * magnitude.shape[2]
    mean = total / count
    deviation = (squares / count - mean**2).clamp(min=0).sqrt()
    return mean.cpu().numpy(), deviation.clamp(min=1e-4 * float(deviation.max())).cpu().numpy()


def score(networks, batches, stft, istft, norm):
    """Mean SNR in dB of all crops and sources, with the mixture's phase."""
    found = []
    for mixture, sources in batches:
        spectrum = stft(mixture)
        magnitude = norm(spectrum)
        unit = spectrum / magnitude.clamp(min=1e-10)[..., None]
        for index, network in enumerate(networks.values()):
            estimate = istft(network(magnitude)[..., None] * unit, length=mixture.shape[-1])
            true = sources[..., index]
            noise = (true - estimate).square().sum((1, 2)) + 1e-8
            found.append(10 * torch.log10((true.square().sum((1, 2)) + 1e-8) / noise))
    return float(torch.cat(found).mean())


def main():
    """Train, and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train", help="folder of tracks")
    parser.add_argument("valid", help="folder of tracks")
    parser.add_argument("out", type=pathlib.Path, help="folder that gets weights and history")
    parser.add_argument("--preset", default="open_unmix_like/karaoke")
    parser.add_argument("--epochs", type=int, default=70)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    preset = zoo.describe(options.preset)
    model = zoo.load(options.preset, weights=False)
    settings = preset["recipe"]["data"]

    def batches(folder, **more):
        for mixture, sources in data.waveforms(folder, model, **more):
            pair = torch.from_numpy(mixture.numpy()), torch.from_numpy(sources.numpy())
            mixture, sources = (x.to(device).transpose(1, 2) for x in pair)
            yield mixture, sources

    transform = {"n_fft": model.n_fft, "n_hop": model.hop, "sample_rate": model.sample_rate}
    norm = ComplexNorm(mono=False).to(device)
    encoder = torch.nn.Sequential(make_filterbanks(**transform)[0], norm).to(device)
    stft, istft = (bank.to(device) for bank in make_filterbanks(**transform, center=True))
    folder = options.train
    some = itertools.islice(batches(folder, **settings, seed=options.seed), 10)
    mean, deviation = statistics(some, encoder)
    networks = {
        source: OpenUnmix(
            model.n_fft // 2 + 1,
            model.channels,
            model.hidden,
            model.lstm_layers,
            input_mean=mean,
            input_scale=deviation,
        ).to(device)
        for source in model.sources
    }
    optimizers = {
        source: torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-5)
        for source, network in networks.items()
    }
    plateaus = {
        source: torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.3, patience=80, cooldown=10
        )
        for source, optimizer in optimizers.items()
    }
    best, rows, began = -np.inf, [], time.time()
    for epoch in range(options.epochs):
        losses = []
        for mixture, sources in batches(folder, **settings, seed=options.seed, first_epoch=epoch):
            magnitude = encoder(mixture)
            for index, (source, network) in enumerate(networks.items()):
                network.train()
                target = encoder(sources[..., index].contiguous())
                loss = torch.nn.functional.mse_loss(network(magnitude), target)
                optimizers[source].zero_grad()
                loss.backward()
                optimizers[source].step()
                losses.append(float(loss.detach()))
        for network in networks.values():
            network.eval()
        kept = {key: settings[key] for key in ("batch_size", "crop_seconds")}
        with torch.no_grad():
            snr = score(networks, batches(options.valid, **kept, training=False), stft, istft, norm)
        for plateau in plateaus.values():
            plateau.step(-snr)
        rows.append([epoch + 1, np.mean(losses), snr, time.time() - began])
        if snr > best:
            best = snr
            for source, network in networks.items():
                torch.save(network.state_dict(), options.out / f"{source}.pth")
        with open(options.out / "history.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", "loss", "val_snr", "seconds"])
            writer.writerows([e, f"{loss:.6g}", f"{s:.4f}", f"{t:.1f}"] for e, loss, s, t in rows)


if __name__ == "__main__":
    main()

"""Draws the picture of the README, docs/_static/separation-light.png and separation-dark.png.

    python docs/picture.py

The song is synthetic, and the weights come with the package.
"""

import pathlib

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from PIL import Image

import kerasep

FOLDER = pathlib.Path(__file__).parent / "_static"
MODEL, RATE, SEED, START, SECONDS = "open_unmix_like/phone", 44100, 3, 1.0, 5.0
N_FFT, HOP, TOP = 4096, 512, 9000.0
# One hue per stem, readable on white and on GitHub's dark grey.
HUES = {
    "mixture": "#7c8594",
    "vocals": "#e5484d",
    "drums": "#f59e0b",
    "bass": "#30a46c",
    "other": "#3e8ef7",
}
THEMES = {"light": ("#ffffff", "#1f2328"), "dark": ("#0d1117", "#e6edf3")}


def separated():
    """Return the mixture and the stems of a part of a song, as levels in dB by name."""
    model = kerasep.zoo.load(MODEL, weights=True)
    stems = kerasep.data.song(SEED, START + SECONDS, RATE, channels=model.channels)
    mixture = np.sum([*stems.values()], axis=0)
    waveforms = {"mixture": mixture, **kerasep.separate(model, mixture, RATE)}
    return {
        name: levels(waveform[round(START * RATE) :, 0]) for name, waveform in waveforms.items()
    }


def levels(waveform):
    """Return the spectrogram `(rows, frames)` in dB, its rows spaced by pitch."""
    spectrum = np.abs(np.asarray(kerasep.ops.stft(waveform[None, :, None], n_fft=N_FFT, hop=HOP)))
    magnitude = np.hypot(spectrum[0, :, :, 0, 0], spectrum[0, :, :, 0, 1])
    bins = np.geomspace(50.0, TOP, 260) * N_FFT / RATE
    columns = [np.interp(bins, np.arange(magnitude.shape[1]), frame) for frame in magnitude]
    return 20 * np.log10(np.maximum(np.array(columns).T, 1e-6))


def draw(pictures, theme):
    """Draw one file: the mixture on the left, the four stems on the right."""
    background, text = THEMES[theme]
    figure = plt.figure(figsize=(10, 4.3), facecolor="none")
    left = figure.add_axes((0.01, 0.17, 0.36, 0.66))
    right = [figure.add_axes((0.53, 0.765 - 0.245 * row, 0.36, 0.215)) for row in range(4)]
    loudest = pictures["mixture"].max()
    for axes, (name, picture) in zip([left, *right], pictures.items(), strict=True):
        hue = HUES[name]
        strong = text if name == "mixture" else hue
        colours = LinearSegmentedColormap.from_list(name, [background, hue, strong])
        axes.imshow(
            picture,
            origin="lower",
            aspect="auto",
            cmap=colours,
            vmin=loudest - 55,
            vmax=loudest - 5,
        )
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=hue, linewidth=1.2)
    left.set_title("mixture", color=text, fontsize=15, pad=9)
    for axes, name in zip(right, [*pictures][1:], strict=True):
        axes.text(
            1.03, 0.5, name, color=HUES[name], fontsize=15, va="center", transform=axes.transAxes
        )
        figure.add_artist(arrow(axes.get_position(), left.get_position(), HUES[name]))
    file = FOLDER / f"separation-{theme}.png"
    figure.savefig(file, dpi=160, transparent=True)
    plt.close(figure)
    Image.open(file).quantize(128, Image.Quantize.FASTOCTREE).save(file, optimize=True)


def arrow(to, start, colour):
    """Return a curve from the right of one panel to the left of another."""
    x, y = start.x1 + 0.01, (start.y0 + start.y1) / 2
    end, level = to.x0 - 0.008, (to.y0 + to.y1) / 2
    middle = (x + end) / 2
    curve = Path([(x, y), (middle, y), (middle, level), (end, level)], [1, 4, 4, 4])
    return FancyArrowPatch(
        path=curve, arrowstyle="-|>", mutation_scale=14, color=colour, linewidth=2, fill=False
    )


if __name__ == "__main__":
    plt.rcParams["font.family"] = "DejaVu Sans"
    results = separated()
    for each in THEMES:
        draw(results, each)

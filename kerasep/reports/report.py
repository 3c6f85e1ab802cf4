"""One self-contained HTML page: players, spectrograms, curves and scores of a separation."""

import base64
import io
import math
import os
import pathlib
import warnings

import numpy as np
import soundfile

from kerasep.errors import InputError
from kerasep.system.names import html_text, picture_text

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2a78d6; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.lead { color: color-mix(in srgb, currentColor 70%, transparent); margin-top: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
tr.own td { background: var(--soft); font-weight: 600; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr));
  margin-bottom: 1rem; }
figure { border: 1px solid var(--line); border-radius: .5rem; margin: 0; padding: .7rem; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
figure img, .curve img { display: block; width: 100%; background: #fff; border-radius: .25rem; }
.wide { grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); }
.words :is(td, th) { overflow-wrap: anywhere; text-align: left; }
.words td:nth-child(1) { white-space: nowrap; } .words td { min-width: 14rem; }
.words td:nth-child(1) { min-width: 0; }
audio { width: 100%; margin-top: .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }
dt { color: color-mix(in srgb, currentColor 65%, transparent); } dd { margin: 0; }
.scroll { overflow-x: auto; }
"""


def page(title, lead, sections):
    """Put sections together to a page that needs nothing beside itself.

    Args:
        title: heading of the page.
        lead: one sentence below it.
        sections: list of (heading, HTML) pairs, from the functions below.

    Returns:
        The page as text.

    Example:
    >>> "<h2>Scores</h2>" in page("Demo", "What came out.", [("Scores", "<p>none</p>")])
    True
    """
    body = "\n".join(f"<h2>{html_text(heading)}</h2>\n{text}" for heading, text in sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{html_text(title)}</h1>\n<p class="lead">{html_text(lead)}</p>\n{body}\n'
        f"</body>\n</html>\n"
    )


def write_page(text, path):
    """Write a page, whole or not at all.

    Args:
        text: the page.
        path: the file, replaced if it exists.
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, "utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def players(waveforms, sample_rate):
    """Show a player with its spectrogram for each waveform.

    Args:
        waveforms: dict from caption to array `(samples, channels)`.
        sample_rate: in Hz.

    Returns:
        HTML.

    Raises:
        InputError: where matplotlib is not installed.

    Example:
    ```python
    import numpy as np
    from kerasep.reports import report

    html = report.players({"noise": np.random.randn(8000, 1) / 10}, 8000)
    assert "<audio" in html
    ```
    """
    figures = [
        f"<figure><figcaption>{html_text(caption)}</figcaption>"
        f'<img alt="spectrogram of {html_text(caption)}" src="{_spectrogram(x, sample_rate)}">'
        f'<audio controls preload="metadata" src="{_audio(x, sample_rate)}"></audio></figure>'
        for caption, x in waveforms.items()
    ]
    return f'<div class="grid">{"".join(figures)}</div>'


def curve(history, keys):
    """Draw values that training logged against time.

    Args:
        history: list of dicts, one an epoch, with `seconds`.
        keys: dict from a key of theirs to its label.

    Returns:
        HTML.

    Raises:
        InputError: where matplotlib is not installed.
    """
    figure = new_figure(9, 3)
    axes = figure.subplots()
    minutes = [row["seconds"] / 60 for row in history]
    for (key, label), style in zip(keys.items(), ("o-", "s-", "^-"), strict=False):
        axes.plot(
            minutes,
            [row.get(key, math.nan) for row in history],
            style,
            label=picture_text(label),
            ms=3,
        )
    axes.set_xlabel("minutes")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return f'<div class="curve"><img alt="training curve" src="{png(figure)}"></div>'


def table(rows, own=()):
    """Show a list of dicts with the same keys.

    Args:
        rows: numbers are shown with two decimals, None as a dash.
        own: indices of rows to stand out.

    Returns:
        HTML.

    Example:
    >>> "<td>1.50</td>" in table([{"source": "bass", "dB": 1.5}])
    True
    """
    if not rows:
        return "<p>Nothing to show.</p>"
    head = "".join(f"<th>{html_text(key)}</th>" for key in rows[0])
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(f"<td>{html_text(_cell(value))}</td>" for value in row.values())
        lines.append(f"<tr{' class=own' if index in own else ''}>{cells}</tr>")
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def facts(pairs):
    """Show names and values.

    Args:
        pairs: dict.

    Returns:
        HTML.

    Example:
    >>> facts({"size": "1 MB"})
    '<dl><dt>size</dt><dd>1 MB</dd></dl>'
    """
    items = "".join(
        f"<dt>{html_text(name)}</dt><dd>{html_text(value)}</dd>" for name, value in pairs.items()
    )
    return f"<dl>{items}</dl>"


def _cell(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _audio(waveform, sample_rate):
    file = io.BytesIO()
    soundfile.write(file, np.clip(waveform, -1, 1), sample_rate, "PCM_16", format="FLAC")
    return f"data:audio/flac;base64,{base64.b64encode(file.getvalue()).decode()}"


def _spectrogram(waveform, sample_rate):
    figure = new_figure(5, 2.2)
    axes = figure.subplots()
    mono = np.asarray(waveform).mean(axis=1)
    # Below hearing: keeps the logarithm of digital silence finite.
    mono = mono + 1e-6 * np.random.default_rng(0).standard_normal(len(mono))
    axes.specgram(mono, NFFT=1024, noverlap=768, Fs=sample_rate, cmap="magma", vmin=-120, vmax=-30)
    axes.set_ylabel("Hz")
    axes.set_xlabel("seconds")
    return png(figure)


def new_figure(width, height):
    """Make an empty figure of matplotlib, in inches of 100 dots.

    Raises:
        InputError: where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "the report draws with matplotlib, which is not installed: "
            "pip install 'kerasep[report]'"
        ) from error
    return Figure((width, height), dpi=100, layout="constrained")


def png(figure):
    """Turn a figure into an address that holds it, for an `img` of a page."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        # Names may have characters that matplotlib's font lacks: they are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support .* natively")
        figure.savefig(file, format="png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"

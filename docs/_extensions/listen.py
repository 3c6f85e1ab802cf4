"""Audio players: a synthetic song and the stems that a preset's included weights separate from it.

    ```{listen} open_unmix_like/phone
    :seed: 3
    ```

The build writes MP3 files, and keeps them beside the documentation until weights or songs change.
"""

import hashlib
import html
import json
import pathlib
import shutil

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

SECONDS = 8.0
FOLDER = "_listen"
ROOT = pathlib.Path(__file__).parents[2]
MADE_FROM = [pathlib.Path(__file__), *sorted((ROOT / "kerasep/data/synthetic").glob("*.py"))]
logger = logging.getLogger(__name__)


def setup(app):
    """Register the directive, and copy the audio files behind the pages."""
    app.add_directive("listen", Listen)
    app.add_js_file("listen.js", loading_method="defer")
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True}


class Listen(SphinxDirective):
    """Players of a mixture, of its true stems, and of the separated ones with their scores."""

    required_arguments = 1
    option_spec = {"seed": directives.nonnegative_int}  # noqa: RUF012

    def run(self):
        """Return the players as HTML."""
        preset = self.arguments[0]
        folder = _recordings(_kept(self.env.app), preset, self.options.get("seed", 3))
        address = (
            "../" * self.env.docname.count("/") + f"{FOLDER}/{folder.parent.name}/{folder.name}"
        )
        scores = json.loads((folder / "scores.json").read_text("utf-8"))
        return [nodes.raw("", _players(address, preset, scores), format="html")]


def _kept(app):
    return pathlib.Path(app.outdir).parent / "listen"


def _copy(app, error):
    if not error and app.builder.format == "html" and _kept(app).exists():
        shutil.copytree(_kept(app), pathlib.Path(app.outdir) / FOLDER, dirs_exist_ok=True)


def _recordings(kept, preset, seed):
    """Return the folder with the recordings of a preset, which is made if it is not there."""
    import kerasep

    card = kerasep.zoo.describe(preset)
    checksum = hashlib.sha256(json.dumps([card["weights"], card["arguments"], seed]).encode())
    for file in MADE_FROM:
        checksum.update(file.read_bytes())
    folder = kept / preset.replace("/", "-") / checksum.hexdigest()[:12]
    if not (folder / "scores.json").exists():
        logger.info("separating a song with %s", preset)
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        _separate(folder, kerasep.zoo.load(preset, weights=True), seed)
    return folder


def _separate(folder, model, seed):
    import numpy as np
    import soundfile

    import kerasep

    rate = max(model.sample_rate, 16000)
    stems = kerasep.data.song(seed, SECONDS, rate, channels=model.channels)
    mixture = np.sum([*stems.values()], axis=0)
    if "accompaniment" in model.sources:
        stems["accompaniment"] = mixture - stems["vocals"]
    estimates = kerasep.separate(model, mixture, rate)
    scores = {}
    for name, estimate in estimates.items():
        gain = _si_sdr(stems[name], estimate) - _si_sdr(stems[name], mixture)
        scores[name] = round(float(gain), 1)
        soundfile.write(folder / f"{name}.mp3", estimate, rate)
        soundfile.write(folder / f"{name}-true.mp3", stems[name], rate)
    soundfile.write(folder / "mixture.mp3", mixture, rate)
    (folder / "scores.json").write_text(json.dumps(scores), "utf-8")


def _si_sdr(true, estimate):
    from kerasep.metrics import scores

    return scores(true, estimate, ["si_sdr"])["si_sdr"]


def _players(address, preset, scores):
    rows = [_row("mixture", [_player(f"{address}/mixture.mp3", f"{preset}: the mixture")])]
    for name, gain in scores.items():
        separated = _player(f"{address}/{name}.mp3", f"{preset}: {name}, separated")
        true = _player(f"{address}/{name}-true.mp3", f"{name} before mixing")
        note = f'<span class="gain" title="SI-SDR improvement">{gain:+.1f} dB</span>'
        rows.append(
            _row(name, [f"<span>separated {note}</span>{separated}", f"<span>true</span>{true}"])
        )
    return f'<div class="listen">{"".join(rows)}</div>'


def _row(name, players):
    cells = "".join(f'<div class="listen-cell">{player}</div>' for player in players)
    return f'<div class="listen-row"><b>{html.escape(name)}</b>{cells}</div>'


def _player(address, label):
    label = html.escape(label, quote=True)
    return f'<audio controls preload="none" src="{address}" aria-label="{label}"></audio>'

"""Writes Spleeter's numbers and checkpoints beside it, for tests that run without it.

Needs an environment of its own: Python 3.8 to 3.11, `pip install tensorflow-cpu==2.12.1
numpy==1.24.3 "pandas<2" norbert==0.2.1`, `pip install --no-deps spleeter==2.4.2`. Run by hand:
`python tests/golden/make_spleeter.py`.

The networks are Spleeter's own, with fewer filters, a transform of 256 samples and segments of 64
frames, all of which are its parameters.
"""

import json
import pathlib

import numpy as np
import tensorflow as tf
from spleeter.model import EstimatorSpecBuilder
from spleeter.model.functions import unet

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "spleeter"
FRAME, STEP, SEGMENT, BINS, LEAD, SAMPLES = 256, 64, 64, 64, 2, 14_000
SMALL = [2, 2, 3, 3, 4, 4]
ELU = {"conv_activation": "ELU", "deconv_activation": "ELU"}
# Instruments, function and its parameters, as in Spleeter's configuration files.
CONFIGURATIONS = {
    "2stems": (["vocals", "accompaniment"], "unet.unet", {}),
    "4stems": (["vocals", "drums", "bass", "other"], "unet.unet", ELU),
    "5stems": (["vocals", "piano", "drums", "bass", "other"], "unet.softmax_unet", ELU),
}
# Every so many frames and bins, or samples, are kept.
THIN, THIN_SAMPLES = (slice(None, None, 8), slice(None, None, 4)), slice(None, None, 17)


def parameters(name, filters, **changes):
    """Spleeter's configuration."""
    instruments, function, options = CONFIGURATIONS[name]
    return {
        "mix_name": "mix",
        "instrument_list": instruments,
        "frame_length": FRAME,
        "frame_step": STEP,
        "T": SEGMENT,
        "F": BINS,
        "n_channels": 2,
        "separation_exponent": 2,
        "mask_extension": "zeros",
        "learning_rate": 1e-4,
        "model": {"type": function, "params": {**options, "conv_n_filters": filters}},
        **changes,
    }


def build(params):
    """Spleeter's graph from a waveform, in the current graph."""
    waveform = tf.compat.v1.placeholder(tf.float32, (None, 2), "waveform")
    return EstimatorSpecBuilder({"waveform": waveform}, params)


def random_values(rng):
    """A value for each variable, which shows."""
    for variable in tf.compat.v1.global_variables():
        noise = rng.standard_normal(variable.shape).astype("float32")
        kind = variable.op.name.rsplit("/", 1)[-1]
        if kind == "kernel":
            inputs = np.prod(noise.shape) / noise.shape[3 - ("transpose" in variable.op.name)]
            yield variable, noise * np.sqrt(4 / inputs)
        else:
            start = {"gamma": 1.0, "moving_variance": 1.0}.get(kind, 0.0)
            yield variable, start + 0.3 * (np.abs(noise) if "variance" in kind else noise)


def segments(magnitude):
    """Frames after the leading zeros, partitioned as Spleeter does it."""
    padded = np.pad(magnitude[:, :BINS], ((LEAD, 0), (0, 0), (0, 0)))
    padded = np.pad(padded, ((0, -len(padded) % SEGMENT), (0, 0), (0, 0)))
    return padded.reshape(-1, SEGMENT, BINS, 2)


def joined(outputs, instruments, frames):
    """Segments of each instrument to (frames, bins, channels, instruments)."""
    stacked = np.stack([outputs[f"{name}_spectrogram"] for name in instruments], axis=-1)
    return stacked.reshape(-1, *stacked.shape[2:])[LEAD : LEAD + frames]


def write(name, waveform, rng):
    """A checkpoint, and what Spleeter makes of the waveform with it."""
    instruments = CONFIGURATIONS[name][0]
    arrays = {}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        builder = build(parameters(name, SMALL))
        estimates = builder.outputs
        values = {variable.op.name: value for variable, value in random_values(rng)}

        def restore():
            for variable in tf.compat.v1.global_variables():
                if variable.op.name in values:
                    variable.load(values[variable.op.name], session)

        restore()
        feed = {builder._features["waveform"]: waveform}
        sounds = session.run(estimates, feed)
        sounds = np.stack([sounds[each] for each in instruments], axis=-1)
        arrays["waveforms"] = sounds[THIN_SAMPLES]
        spectrum = session.run(builder.stft_feature, feed)
        magnitude = np.abs(spectrum)[LEAD:]
        feed = {
            **feed,
            builder.spectrogram_feature: segments(magnitude),
            builder.stft_feature: spectrum,
        }
        outputs = session.run(builder.model_outputs, feed)
        arrays["outputs"] = joined(outputs, instruments, len(magnitude))[THIN]
        for extension in ("zeros", "average"):
            builder._params["mask_extension"] = extension
            builder._build_masks()
            masks = session.run(builder.masks, feed)
            masks = np.stack([masks[each] for each in instruments], axis=-1)
            arrays[f"masks_{extension}"] = masks[LEAD:][THIN]
        variables = tf.compat.v1.global_variables()
        if name == "2stems":  # with all that a training run leaves in it
            tf.compat.v1.train.create_global_step()
            labels = {f"{each}_spectrogram": builder.spectrogram_feature for each in instruments}
            builder.build_train_model(labels)
            session.run(tf.compat.v1.global_variables_initializer())
            restore()
            variables = tf.compat.v1.global_variables()
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        saver = tf.compat.v1.train.Saver(variables)
        saver.save(session, str(FOLDER / name / "model"), write_meta_graph=False, write_state=False)

    # The batch norms as they train. Spleeter never tells them to: nothing feeds the learning phase.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.keras.backend.set_learning_phase(1)
        dropout, unet.Dropout = unet.Dropout, lambda rate: tf.identity
        builder = build(parameters(name, SMALL))
        outputs = builder.model_outputs
        for variable in tf.compat.v1.global_variables():
            variable.load(values[variable.op.name], session)
        outputs = session.run(outputs, {builder.spectrogram_feature: segments(magnitude)})
        arrays["training"] = joined(outputs, instruments, len(magnitude))[THIN]
        unet.Dropout = dropout
    return {f"{name}_{key}": value for key, value in arrays.items()}


def write_variables():
    """Names and shapes of all that a training run at full size saves."""
    with tf.Graph().as_default():
        params = parameters("2stems", [16, 32, 64, 128, 256, 512], T=512, F=1024, frame_length=4096)
        builder = build(params)
        tf.compat.v1.train.create_global_step()
        instruments = params["instrument_list"]
        builder.build_train_model(
            {f"{each}_spectrogram": builder.spectrogram_feature for each in instruments}
        )
        shapes = {
            variable.op.name: variable.shape.as_list()
            for variable in tf.compat.v1.global_variables()
        }
    (HERE / "spleeter_variables.json").write_text(json.dumps(shapes, indent=0) + "\n")


def main():
    """Write all of them, from one seed."""
    rng = np.random.default_rng(0)
    # Numbers of few bits, so that the file is small and still exact.
    waveform = (0.3 * rng.standard_normal((SAMPLES, 2))).astype("float16")
    arrays = {"waveform": waveform}
    for name in CONFIGURATIONS:
        arrays.update(write(name, waveform.astype("float32"), rng))
    np.savez_compressed(HERE / "spleeter.npz", **arrays)
    write_variables()


if __name__ == "__main__":
    main()

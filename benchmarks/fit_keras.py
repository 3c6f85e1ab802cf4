"""Training of an entry by Keras' `fit`, as users run it, timed."""

import importlib.util
import itertools
import tempfile
import time

import fit_data
import kernel_time

PROFILED = 5  # steps


def train(case, report):
    """Build, fit and time the model of a case; `report` receives what is known so far."""
    import keras

    backend = keras.backend.backend()
    keras.ops.zeros(1)  # JAX finds no GPU once TensorFlow is imported
    batches, feed = dataset(case, backend)
    model = build(case)
    steps = step_times()
    began = time.perf_counter()
    warm_up = 2 + case["steps"] // case["blocks"]
    fit(model, batches, warm_up + case["steps"], steps)
    report(
        first_step_s=steps.times[0] - began,
        block_ms=block_ms(sorted(steps.times)[warm_up - 1 :], case["blocks"]),
        loss=steps.loss,
        input=feed,
        device=device(backend),
    )
    if device(backend) == "CPU":
        return
    with tempfile.TemporaryDirectory() as folder:
        profile = getattr(kernel_time, f"of_{backend}")
        kernels, copies = profile(lambda: fit(model, batches, PROFILED), folder)
    report(kernels_ms=kernels / PROFILED, copies_ms=copies / PROFILED)


def build(case):
    """Build the compiled model; spectrogram models are fed waveforms, as on an accelerator."""
    import keras

    from kerasep import losses, zoo
    from kerasep.training.precision import in_precision
    from kerasep.training.waveform_training import fed_waveforms

    model = zoo.load(case["entry"], weights=False, **case["overrides"])
    model = in_precision(model, case["precision"])
    loss = losses.Waveform(p=1)
    if case["stft"]:
        model = fed_waveforms(model)
        loss = losses.MagnitudeSpectrum(p=2)
    model.compile(keras.optimizers.Adam(fit_data.LEARNING_RATE), loss)
    return model


def dataset(case, backend):
    """Return endless batches as `kerasep.training` feeds them, and what they come from.

    They are a prefetched `tf.data` pipeline, with TensorFlow in the GPU's memory. Only if JAX is
    there without TensorFlow, they are a generator of NumPy arrays that are ready.
    """
    batches = list(fit_data.batches(case))
    gpu = device(backend) != "CPU"
    if importlib.util.find_spec("tensorflow") is None:

        def ready():
            while True:
                yield from batches

        return ready(), "generator"
    import numpy as np
    import tensorflow as tf

    from kerasep.data.sampling import batches as batch_parts

    if backend != "tensorflow":
        tf.config.set_visible_devices([], "GPU")
    with tf.device("CPU:0"):
        arrays = tuple(np.stack(arrays) for arrays in zip(*batches, strict=True))
        data = tf.data.Dataset.from_tensor_slices(arrays).repeat()
    data = batch_parts.halved(data) if gpu else data
    data = batch_parts.ahead(data, 2, on_gpu=gpu and backend == "tensorflow")
    feed = "tf.data, 16 bit" if gpu else "tf.data"
    return data if backend == "tensorflow" else batch_parts.as_arrays(data), feed


def fit(model, batches, steps, *callbacks):
    """Train for a number of steps, compiled as by `kerasep.training`."""
    from kerasep.training.devices import clustered

    settings = {"steps_per_epoch": steps, "verbose": 0, "shuffle": False}
    with clustered(model, 1):
        model.fit(batches, **settings, callbacks=list(callbacks))


def block_ms(times, blocks):
    """Return ms per step of each of as many blocks of steps, from the seconds of their ends.

    The first of the times is the end of the step before.
    """
    steps = (len(times) - 1) // blocks
    ends = times[::steps]
    return [1000 * (end - start) / steps for start, end in itertools.pairwise(ends)]


def device(backend):
    """Return the name of the GPU, or "CPU"."""
    if backend == "jax":
        import jax

        first = jax.devices()[0]
        return "CPU" if first.platform == "cpu" else first.device_kind
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def step_times():
    """Return a callback that notes when the loss of each step is known."""
    import keras

    class StepTimes(keras.callbacks.Callback):
        async_safe = True  # like Keras' own progress bar: training does not wait for it

        def __init__(self):
            super().__init__()
            self.times, self.loss = [], None

        def on_train_batch_end(self, batch, logs=None):
            self.times.append(time.perf_counter())
            self.loss = logs["loss"]

    return StepTimes()

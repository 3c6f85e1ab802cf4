"""GPU time of a few training steps in a profile: of kernels, and of copies.

Both are sums over all streams, so kernels that ran beside each other count twice.
"""

import pathlib


def totals(activities):
    """Return ms in kernels and ms in copies of pairs of name and ms."""
    kernels = copies = 0.0
    for name, ms in activities:
        if name.lower().startswith(("memcpy", "memset")):
            copies += ms
        else:
            kernels += ms
    return kernels, copies


def of_torch(run):
    """Return both for a function of PyTorch."""
    import torch
    from torch.autograd import DeviceType

    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CUDA, kinds.CPU]) as profile:
        run()
        torch.cuda.synchronize()
    events = profile.events()
    return totals(
        (event.name, event.time_range.elapsed_us() / 1000)
        for event in events
        if event.device_type == DeviceType.CUDA and not event.is_user_annotation
    )


def of_jax(run, folder):
    """Return both for a function of JAX; the profile is written to a folder."""
    import jax

    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = options.host_tracer_level = 0
    jax.profiler.start_trace(folder, profiler_options=options)
    run()
    jax.profiler.stop_trace()
    profile = jax.profiler.ProfileData.from_file(str(_written(folder)))
    return totals(
        (event.name, event.duration_ns / 1e6)
        for plane in profile.planes
        if plane.name.startswith("/device:GPU")
        for line in plane.lines
        if line.name.startswith("Stream")
        for event in line.events
    )


def of_tensorflow(run, folder):
    """Return both for a function of TensorFlow; the profile is written to a folder."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=0, python_tracer_level=0)
    tf.profiler.experimental.start(str(folder), options)
    run()
    tf.profiler.experimental.stop()
    profile = xplane_pb2.XSpace()
    profile.ParseFromString(_written(folder).read_bytes())
    return totals(
        (plane.event_metadata[event.metadata_id].name, event.duration_ps / 1e9)
        for plane in profile.planes
        if plane.name.startswith("/device:GPU")
        for line in plane.lines
        if line.name.startswith("Stream")
        for event in line.events
    )


def _written(folder):
    return next(pathlib.Path(folder).rglob("*.xplane.pb"))

"""Training of an original in PyTorch as users run it: pinned, prefetched batches, timed."""

import itertools
import time

import entries
import fit_data
import kernel_time

PROFILED = 5  # steps


def train(case, report):
    """Build, train and time the network of a case; `report` receives what is known so far."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    gpu = torch.cuda.is_available()
    began = time.perf_counter()
    step = stepper(case, "cuda" if gpu else "cpu")
    batches = prefetched(case) if gpu else ready(case)

    def run(steps):
        for _ in range(steps):
            loss = step(*next(batches))
        loss = float(loss)  # waits for the last step's loss
        if gpu:
            torch.cuda.synchronize()
        return loss

    run(1)
    first = time.perf_counter() - began
    per_block = case["steps"] // case["blocks"]
    run(1 + per_block)
    times = [time.perf_counter()]
    for _ in range(case["blocks"]):
        loss = run(per_block)
        times.append(time.perf_counter())
    report(
        first_step_s=first,
        block_ms=[1000 * (b - a) / per_block for a, b in itertools.pairwise(times)],
        loss=loss,
        input="pinned tensors" if gpu else "tensors",
        device=torch.cuda.get_device_name() if gpu else "CPU",
    )
    if gpu:
        kernels, copies = kernel_time.of_torch(lambda: run(PROFILED))
        report(kernels_ms=kernels / PROFILED, copies_ms=copies / PROFILED)


def stepper(case, device):
    """Return the training step: forward, loss, backward and Adam."""
    import torch

    item = entries.ENTRIES[case["entry"]]
    torch.manual_seed(0)
    network = item["original"]().to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), fit_data.LEARNING_RATE)
    window = analysis_window(case["stft"], device)
    mixed = {"dtype": torch.bfloat16, "enabled": case["precision"] == "bfloat16"}

    def loss_of(mixture, sources):
        if case["stft"]:
            mixture, sources = (
                magnitude(x, window, case["stft"]["hop"]) for x in (mixture, sources)
            )
        with torch.autocast(device, **mixed):
            estimates = item["run"](network, mixture)
        difference = estimates.float() - sources
        return (difference**2).mean() if case["stft"] else difference.abs().mean()

    if case["framework"] == "PyTorch compiled":
        loss_of = torch.compile(loss_of)

    def step(mixture, sources):
        optimizer.zero_grad()
        loss = loss_of(mixture, sources)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def analysis_window(transform, device):
    """Return the window of a spectrogram model, or None."""
    import torch

    if not transform:
        return None
    window = torch.hann_window(transform["n_fft"], device=device)
    return window.sqrt() if transform["window"] == "sqrt_hann" else window


def magnitude(waveform, window, hop):
    """Return magnitudes `(batch, frames, bins, ...)` of waveforms `(batch, samples, ...)`."""
    import torch

    rest = waveform.shape[2:]
    flat = waveform.flatten(2).transpose(1, 2).flatten(0, 1)
    spectrum = torch.stft(flat, len(window), hop, window=window, return_complex=True)
    by_signal = spectrum.abs().unflatten(0, (len(waveform), -1))
    return by_signal.permute(0, 3, 2, 1).unflatten(-1, rest)


def ready(case):
    """Yield the batches again and again."""
    import torch

    batches = [tuple(map(torch.from_numpy, batch)) for batch in fit_data.batches(case)]
    while True:
        yield from batches


def prefetched(case):
    """Yield them on the GPU: while it works on one, the next is copied from pinned memory."""
    import torch

    pinned = [
        tuple(torch.from_numpy(array).pin_memory() for array in batch)
        for batch in fit_data.batches(case)
    ]
    side = torch.cuda.Stream()

    def copied(index):
        with torch.cuda.stream(side):
            return [x.to("cuda", non_blocking=True) for x in pinned[index % len(pinned)]]

    index, following = 0, copied(0)
    while True:
        here = torch.cuda.current_stream()
        here.wait_stream(side)
        batch = following
        for x in batch:
            x.record_stream(here)
        index += 1
        following = copied(index)
        yield batch

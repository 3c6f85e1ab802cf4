import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.separation.chunks import best_order, by_channel_groups, check_waveform, crossfaded


def noise(samples, channels=2, seed=0):
    return np.random.default_rng(seed).standard_normal((samples, channels)).astype("float32")


def identity(x):
    return np.stack([x, -x], axis=-1)


def joined(blocks, *args, **kwargs):
    return np.concatenate(list(crossfaded(blocks, *args, **kwargs)))


def split(signal, size):
    return [signal[start : start + size] for start in range(0, len(signal), size)]


@pytest.mark.parametrize("overlap", [0, 1, 16, 19, 32])
@pytest.mark.parametrize("pad", [False, True])
def test_identity_is_exact_at_any_length(overlap, pad):
    for samples in (1, 2, 63, 64, 65, 96, 97, 112, 113, 127, 251, 509, 1000, 1009):
        signal = noise(samples)
        result = joined([signal], identity, chunk=64, overlap=overlap, pad=pad)
        assert result.dtype == np.float32
        assert np.array_equal(result, identity(signal)), samples


@pytest.mark.parametrize("size", [1, 7, 64, 100, 500, 5000])
def test_result_does_not_depend_on_the_blocks(size):
    signal = noise(1009)

    def uneven(x):
        return identity(x + np.linspace(0, 1, len(x), dtype="float32")[:, None])

    whole = joined([signal], uneven, chunk=128, overlap=64, hop=8)
    assert np.array_equal(joined(split(signal, size), uneven, chunk=128, overlap=64, hop=8), whole)


def test_a_filter_gives_the_unchunked_result_when_it_reaches_no_further_than_a_quarter():
    taps = noise(17, 1, seed=1)[:, 0]

    def smooth(x):
        return np.stack([np.convolve(c, taps, "same") for c in x.T], -1)[..., None]

    signal = noise(2003)
    whole = smooth(signal)
    result = joined(split(signal, 100), smooth, chunk=256, overlap=64)
    np.testing.assert_allclose(result, whole, atol=1e-5)
    # With an overlap that is too short the same comparison does see the joints.
    assert np.abs(joined([signal], smooth, chunk=256, overlap=8) - whole).max() > 1e-2


def test_neighbours_fade_linearly_over_the_middle_half():
    calls = iter([0.0, 1.0])
    result = joined(
        [noise(150, 1)], lambda x: np.full((len(x), 1, 1), next(calls)), chunk=100, overlap=40
    )
    fade = result[:, 0, 0]
    assert np.all(fade[:70] == 0)
    assert np.all(fade[90:] == 1)
    np.testing.assert_allclose(fade[70:90], (np.arange(20) + 0.5) / 20, atol=1e-6)


def test_where_one_chunk_counts_its_result_is_unchanged():
    """To the last bit, as in the runtimes in other languages."""
    stems = [noise(100, seed=1)[..., None], noise(100, seed=2)[..., None]]
    remaining = iter(stems)
    result = joined([noise(160)], lambda x: next(remaining), chunk=100, overlap=40)
    assert np.array_equal(result[:70], stems[0][:70])
    assert np.array_equal(result[90:], stems[1][30:])
    rise = ((np.arange(20, dtype="float32") + 0.5) / 20)[:, None, None]
    middle = stems[0][70:90] + (stems[1][10:30] - stems[0][70:90]) * rise
    assert np.array_equal(result[70:90], middle)


def test_chunks_start_at_multiples_of_the_hop_and_have_the_given_length():
    seen = []

    def note(x):
        seen.append((int(x[0, 0]), len(x)))
        return x[..., None]

    ramp = np.arange(1000, dtype="float32")[:, None]
    joined([ramp], note, chunk=250, overlap=30, hop=16)
    assert [start % 16 for start, _ in seen] == [0] * len(seen)
    assert {length for _, length in seen[:-1]} == {256}
    seen.clear()
    joined([ramp], note, chunk=250, overlap=30, hop=16, pad=True)
    assert {length for _, length in seen} == {256}


def test_a_signal_of_one_chunk_is_one_call():
    lengths = []

    def note(x):
        lengths.append(len(x))
        return x[..., None]

    joined(split(noise(64), 5), note, chunk=64, overlap=16)
    assert lengths == [64]


def test_blocks_are_read_only_when_needed():
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros((10, 1), "float32")

    stream = crossfaded(endless(), lambda x: x[..., None], chunk=100, overlap=20)
    for index in range(1, 50):
        next(stream)
        assert taken <= 8 * index + 3


@pytest.mark.parametrize("blocks", [[], [np.zeros((0, 2))]])
def test_nothing_gives_nothing(blocks):
    assert list(crossfaded(blocks, identity, chunk=64, overlap=16)) == []


@pytest.mark.parametrize(
    ("chunk", "overlap", "hop"), [(0, 0, 1), (64, -1, 1), (64, 33, 1), (64, 16, 0)]
)
def test_settings_out_of_range_are_refused(chunk, overlap, hop):
    with pytest.raises(InputError, match="received"):
        joined([noise(100)], identity, chunk, overlap, hop)


def test_a_process_that_changes_the_length_is_refused():
    with pytest.raises(InputError, match="as many"):
        joined([noise(100)], lambda x: x[1:, :, None], chunk=64, overlap=16)


@pytest.mark.parametrize(("count", "channels"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (5, 2)])
def test_channels_are_taken_in_groups(count, channels):
    signal = noise(20, count)
    seen = []

    def process(batch):
        seen.append(batch)
        return np.stack([batch, -batch], -1)

    assert np.array_equal(by_channel_groups(process, signal, channels), identity(signal))
    assert seen[0].shape == (-(-count // channels), 20, channels)
    assert np.array_equal(seen[0][-1, :, -1], signal[:, -1])


def test_waveforms_are_made_float32_with_channels():
    assert check_waveform(np.zeros(5)).shape == (5, 1)
    assert check_waveform(np.zeros((5, 2))).dtype == np.float32


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (np.zeros((2, 5)), "transpose"),
        (np.zeros((0, 2)), "at least one sample"),
        (np.zeros((1, 5, 2)), "at least one sample"),
        (np.array([0, np.nan]), "NaN"),
        (np.array([0, np.inf]), "NaN"),
        (np.zeros(5, "int16"), "divide by 32768"),
        ("a string", "floats"),
        (None, "floats"),
    ],
)
def test_what_is_no_recording_is_refused(audio, match):
    with pytest.raises(InputError, match=match):
        check_waveform(audio)


def test_the_last_chunk_is_a_whole_one_that_starts_early():
    seen = []

    def note(x):
        seen.append((int(x[0, 0]), len(x)))
        return x[..., None]

    ramp = np.arange(1000, dtype="float32")[:, None]
    result = joined([ramp], note, chunk=256, overlap=32, hop=16)
    assert seen == [(0, 256), (224, 256), (448, 256), (672, 256), (752, 248)]
    assert np.array_equal(result[:, :, 0], ramp)


def test_a_signal_shorter_than_a_fixed_chunk_is_repeated():
    given = []

    def note(x):
        given.append(x[:, 0].tolist())
        return x[..., None]

    joined([np.arange(4, dtype="float32")[:, None]], note, chunk=9, overlap=0, pad=True)
    assert given == [[0, 1, 2, 3, 0, 1, 2, 3, 0]]


def test_sources_that_come_in_any_order_are_put_in_one():
    """Each chunk's sources are shuffled; put in order, the result is the unshuffled one."""
    signal, rng = noise(2003, 2), np.random.default_rng(3)
    gains = np.array([0.2, 0.5, -0.3], "float32")

    def three(x):
        return x[..., None] * gains

    def shuffled(x):
        return three(x)[..., rng.permutation(3)]

    wrong = joined([signal], shuffled, chunk=256, overlap=64)
    rng = np.random.default_rng(3)
    right = joined([signal], shuffled, chunk=256, overlap=64, reorder=True)
    first = np.random.default_rng(3).permutation(3)
    np.testing.assert_allclose(right, three(signal)[..., first], atol=1e-6)
    assert np.abs(wrong - three(signal)[..., first]).max() > 0.1


def test_a_pause_at_the_joint_keeps_the_order():
    signal = noise(1000, 1)
    signal[192 + 16 : 256 - 16] = 0.0  # the middle of what the first two chunks share
    turns = iter(range(99))

    def turned(x):
        two = np.stack([np.maximum(x, 0), np.minimum(x, 0)], axis=-1)
        return two[..., ::-1] if next(turns) % 2 else two

    result = joined([signal], turned, chunk=256, overlap=64, reorder=True)
    np.testing.assert_allclose(result[..., 0], np.maximum(signal, 0), atol=1e-6)


def test_channel_groups_take_the_order_of_the_first():
    signal = np.repeat(noise(300, 1), 3, axis=1)

    def turned(batch):
        two = np.stack([batch, -0.5 * batch], axis=-1)
        two[1::2] = two[1::2][..., ::-1]
        return two

    result = by_channel_groups(turned, signal, channels=1, reorder=True)
    np.testing.assert_array_equal(result[..., 0], signal)
    assert not np.array_equal(by_channel_groups(turned, signal, 1)[..., 0], signal)


def test_silence_keeps_its_order():
    assert best_order(np.zeros((5, 3)), np.zeros((5, 3))) == [0, 1, 2]

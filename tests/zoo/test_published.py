"""Published weights: from an address or the name of a set to a model's variables."""

import hashlib
import pathlib
import shutil

import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo import published, registry

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"
DIGEST = 64 * "0"
TINY = {"sample_rate": 8000, "channels": 2, "n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400}


@pytest.fixture
def card(server, monkeypatch):
    """The preset of Open-Unmix with files of two sources on the local server."""
    files = {}
    for source in GOLDEN.glob("*.pth"):
        shutil.copy(source, server.folder)
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        files[source.stem.split("-")[0]] = {
            "url": f"{server.url}/{source.name}",
            "sha256": digest,
            "bytes": source.stat().st_size,
        }
    cards = registry._cards()
    cards["open_unmix_like"]["presets"]["umxhq"]["weights"] = {"local": {"files": files}}
    monkeypatch.setattr(registry, "_cards", lambda: cards)
    return files


def load(weights, **changes):
    return zoo.load("open_unmix_like/umxhq", weights=weights, **{**TINY, **changes})


def test_published_weights_are_downloaded_and_converted(card, server):
    from kerasep.importers import open_unmix

    shares = []
    model = load(True, sources=["vocals", "drums"], progress=shares.append)
    expected = open_unmix.build(GOLDEN)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert shares[-1] == 1.0
    assert len(server.requests) == 2
    again = load("local", sources=["drums"])
    assert again.sources == ("drums",)
    assert len(server.requests) == 2


def test_the_folder_of_files_fetched_by_hand(card):
    by_hand = load(GOLDEN, sources=["vocals", "drums"])
    expected = load(True, sources=["vocals", "drums"])
    for one, other in zip(by_hand.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_published_weights_of_another_size_or_checksum(card, tmp_path):
    card["drums"]["bytes"] += 1
    card["vocals"]["sha256"] = card["vocals"]["sha256"][:8] + 56 * "0"
    with pytest.raises(InputError, match=r"drums.pth of \d+ bytes, expected \d+"):
        load(True, sources=["drums"])
    with pytest.raises(InputError, match=r"with SHA-256 .* it was removed"):
        load(True, sources=["vocals"])
    assert not [*(tmp_path / "cache").rglob("*")]


def test_published_weights_known_by_eight_digits(card, caplog):
    for file in card.values():
        file["sha256"] = file["sha256"][:8]
        del file["bytes"]
    with caplog.at_level("INFO", "kerasep"):
        assert load(True, sources=["drums"]).sources == ("drums",)
    assert "of which its publisher states" in caplog.text


def test_a_mistyped_set(card):
    with pytest.raises(InputError, match=r"received weights lokal.*published set.*local"):
        load("lokal")


def test_sources_that_were_not_published(card):
    with pytest.raises(InputError, match="have no bass"):
        load(True, sources=["vocals", "bass"])


def test_presets_without_published_weights():
    with pytest.raises(InputError, match=r"no such published set.*train it"):
        zoo.load("open_unmix_like/small", weights=True)


def test_an_address_with_a_checksum(card, server):
    address = f"{card['vocals']['url']}#sha256={card['vocals']['sha256']}"
    by_address = load(address, sources=["vocals"])
    by_set = load(True, sources=["vocals"])
    for one, other in zip(by_address.get_weights(), by_set.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="#sha256="):
        load(card["vocals"]["url"], sources=["vocals"])


def test_an_address_of_the_hub(monkeypatch):
    asked = []
    monkeypatch.setattr(published, "fetch", lambda url, *rest: asked.append((url, *rest)))
    published.download(f"hf://somebody/model/folder/model.bin#sha256={DIGEST}")
    address = "https://huggingface.co/somebody/model/resolve/main/folder/model.bin"
    assert asked == [(address, DIGEST, None)]


@pytest.mark.parametrize(
    "address",
    [
        *("hf://", "hf://a", "hf://a/", "hf://a/b", "hf://a/b/", "hf:///b/c", "hf://a//c"),
        *("hf://a/b/c//d", "hf://a/b/c/", "hf://a b/c/d", "HF://a"),
    ],
)
@pytest.mark.parametrize("end", ["", f"#sha256={DIGEST}"])
def test_malformed_addresses_of_the_hub(address, end):
    with pytest.raises(InputError, match=r"expected hf://OWNER/REPOSITORY/FILE#sha256=\.\.\."):
        published.download(address + end)


@pytest.mark.parametrize("end", ["", "#", "#sha256=", "#sha256=00112233", "#md5=0", "#sha256=xyz"])
def test_addresses_without_a_whole_checksum(end):
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        published.download("https://example.org/vocals.pth" + end)


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "s3", "gs"])
def test_other_kinds_of_addresses(scheme):
    with pytest.raises(InputError, match=r"expected https://HOST"):
        published.download(f"{scheme}://example.org/vocals.pth#sha256={DIGEST}")


@pytest.mark.parametrize("address", ["hf://a", "ftp://host/file#sha256=0", "https://host/file"])
def test_no_such_weights_are_loaded(address):
    assert published.is_address(address)
    with pytest.raises(InputError, match=f"received .*{address}.*, expected"):
        load(address)


def test_every_published_set_says_what_it_is():
    for name in zoo.list_entries():
        for published_set in zoo.describe(name)["weights"].values():
            assert {"data", "licence"} <= published_set.keys()
            if published.is_shipped(published_set):
                continue
            assert {"origin", "files"} <= published_set.keys()
            for file in published_set["files"].values():
                assert file["url"].startswith("https://")
                # Some publishers tell the beginning of it alone, in the name of the file.
                assert len(file["sha256"]) == 64 or file["sha256"] in file["url"].rpartition("/")[2]

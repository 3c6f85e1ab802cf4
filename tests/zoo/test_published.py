"""Published weights: from an address or the name of a set to a model's variables."""

import hashlib
import os
import pathlib
import re
import shutil
import tarfile

import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo import cards as presets
from kerasep.zoo import published

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"
DIGEST = 64 * "0"
WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
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
    cards = presets.all_cards()
    about = {"licence": "MIT", "origin": server.url, "data": "noise"}
    preset = cards["open_unmix_like"]["presets"]["umxhq"]
    preset |= {"weights": {"local": {**about, "files": files}}, "arguments": TINY}
    monkeypatch.setattr(presets, "all_cards", lambda: cards)
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


def test_published_networks_of_some_sources_are_kept(card, server):
    model, vocals = load(True, sources=["bass", "vocals"]), load(True, sources=["vocals"])
    assert [path for path, _ in server.requests] == [f"/{next(GOLDEN.glob('vocals*')).name}"]
    for part in ("input", "fc1", "bn1", "lstm", "fc3", "output"):
        name = f"vocals_{part}"
        expected = vocals.get_layer(name).get_weights()
        np.testing.assert_equal(model.get_layer(name).get_weights(), expected)
    assert vocals.trained
    assert not model.trained


def test_sources_of_which_none_was_published(card, server):
    with pytest.raises(InputError, match=r"sources bass, expected some of .*vocals"):
        load(True, sources=["bass"])
    assert not server.requests


def test_presets_without_trained_weights_name_those_with_some():
    with pytest.raises(InputError, match=r"no trained weights.*open_unmix_like/umx, .*train it"):
        zoo.load("open_unmix_like/small", weights=True)
    with pytest.raises(InputError, match=r"unet_like/singing, .*that has: unet_like/karaoke; or"):
        zoo.load("unet_like", weights=True)


def test_the_licence_is_logged(card, caplog):
    with caplog.at_level("INFO", "kerasep"):
        assert load(True, sources=["drums"]).licence == "MIT"
    assert "open_unmix_like/umxhq, weights local: licence: MIT; trained on noise" in caplog.text


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


@pytest.mark.skipif(
    not (WEIGHTS / "dtln").is_dir(),
    reason="no published weights: set KERASEP_WEIGHTS to the folder of dtln",
)
def test_the_files_of_dtln(server, monkeypatch):
    """The real files, from this machine in place of the author's address."""
    from kerasep.importers import dtln

    cards = presets.all_cards()
    monkeypatch.setattr(presets, "all_cards", lambda: cards)
    for name in ("dtln", "norm_40h", "norm_500h"):
        (chosen,) = cards["dtln_like"]["presets"][name]["weights"].values()
        file = chosen["files"]["all"]
        source = WEIGHTS / "dtln" / file["url"].rpartition("/")[2]
        shutil.copy(source, server.folder)
        file["url"] = f"{server.url}/{source.name}"
        model = zoo.load(f"dtln_like/{name}", weights=True)
        assert model.trained
        assert model.licence.startswith("MIT")
        for one, other in zip(model.get_weights(), dtln.build(source).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        zoo.load(f"dtln_like/{name}", weights=True)
    assert len(server.requests) == 3


def published_archive(server, monkeypatch):
    """A preset of Spleeter with an archive on the local server, as its authors publish them."""
    archive = server.folder / "2stems.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(GOLDEN.parent / "spleeter" / "2stems", arcname=".")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    cards = presets.all_cards()
    (chosen,) = cards["spleeter_like"]["presets"]["2stems"]["weights"].values()
    chosen["files"]["all"] = {"url": f"{server.url}/{archive.name}", "sha256": digest}
    sizes = {"sample_rate": 8000, "n_fft": 256, "hop": 64, "filters": [2, 2, 3, 3, 4, 4]}
    cards["spleeter_like"]["arguments"] |= {**sizes, "max_hz": 63 * 8000 / 256, "segment": 64}
    monkeypatch.setattr(presets, "all_cards", lambda: cards)


def test_an_archive(server, monkeypatch):
    from kerasep.importers import spleeter

    published_archive(server, monkeypatch)
    model = zoo.load("spleeter_like/2stems", weights="deezer")
    assert (model.trained, model.licence) == (True, "MIT, by the authors' paper")
    other = zoo.load("spleeter_like/2stems", weights=False)
    expected = spleeter.load(other, GOLDEN.parent / "spleeter" / "2stems")
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert zoo.load("spleeter_like/2stems", weights=True).trained
    assert len(server.requests) == 1


def test_a_file_without_a_checksum_is_not_downloaded(server):
    with pytest.raises(InputError, match=r"00058-0\.hdf5, expected one.*by hand.*weights=PATH"):
        zoo.load("wavenet_like", weights=True, **zoo.describe("wavenet_like")["tiny"])
    assert not server.requests


def test_every_published_set_says_what_it_is():
    for name in zoo.list_entries():
        for published_set in zoo.describe(name)["weights"].values():
            assert all(published_set[key] for key in ("data", "licence", "origin"))


ROWS = zoo.catalogue()


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['preset']}-{row['name']}" for row in ROWS])
def test_every_row_of_the_catalogue(row):
    assert row["origin"].startswith("https://")
    assert row["licence"].strip()
    assert row["data"].strip()
    sizes, sums = [], []
    for file in row["files"].values():
        assert file["url"].startswith("https://")
        sizes.append(file["bytes"])
        sums.append(file["sha256"])
        if file["sha256"] is not None:
            assert re.fullmatch("[0-9a-f]{64}|[0-9a-f]{8}", file["sha256"])
            # Some publishers tell the beginning of it alone, in the name of the file.
            assert len(file["sha256"]) == 64 or file["sha256"] in file["url"].rpartition("/")[2]
    assert all(size is None or (type(size) is int and size > 100_000) for size in sizes)
    assert row["bytes"] == (None if None in sizes else sum(sizes))
    assert row["downloadable"] == (None not in sums)
    published_set = zoo.describe(row["preset"])["weights"][row["name"]]
    assert published_set["licence"] == row["licence"]
    if row["reported"] is not None:
        assert row["reported"].keys() == {"measure", "data", "source", "values"}
        assert row["reported"]["source"].startswith("https://")
        assert row["reported"]["values"].keys() <= {"mean", *row["sources"]}
        assert all(0 < value < 30 for value in row["reported"]["values"].values())


def test_the_catalogue():
    rows = {(row["preset"], row["name"]): row for row in ROWS}
    assert len(rows) == len(ROWS)
    assert list(dict.fromkeys(row["preset"] for row in ROWS)) == [
        name
        for name in zoo.list_entries()
        if any("files" in weights for weights in zoo.describe(name)["weights"].values())
    ]
    speech = rows["open_unmix_like/umxse", "voicebank"]
    assert (speech["sources"], speech["bytes"]) == (["speech", "noise"], None)
    assert rows["spleeter_like/2stems", "deezer"]["sources"] == ["vocals", "accompaniment"]
    assert rows["open_unmix_like/umxhq", "musdb18hq"]["bytes"] == 4 * 35_637_796
    licences = {row["licence"] for row in ROWS if row["preset"].startswith("demucs_like/")}
    assert licences == {"research use only, says its author (facebookresearch/demucs issue 327)"}

"""Downloads from a server on this machine that can break off, move, lie, and resume."""

import hashlib
import http.server
import pathlib
import shutil
import threading

import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo import downloads, published, registry
from kerasep.zoo.shipped import is_shipped

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"
CONTENT = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder; `server.breaks` bytes into a file the connection ends, once."""
    monkeypatch.setenv("KERASEP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.bin").write_bytes(CONTENT)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            given = self.headers.get("Range")
            start = int(given.removeprefix("bytes=").rstrip("-")) if given else 0
            running.requests.append((self.path, start))
            if start >= len(content) > 0:
                self.send_error(416)
                return
            resumes = start > 0 and running.resumes
            self.send_response(206 if resumes else 200)
            body = content[start:] if resumes else content
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            stop, running.breaks = running.breaks, None
            self.wfile.write(body[:stop])

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.folder, running.breaks, running.resumes, running.requests = folder, None, True, []
    running.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_file_is_fetched_once(server, tmp_path):
    shares = []
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST, shares.append)
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "cache")
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST[:8]) == path
    assert len(server.requests) == 1


@pytest.mark.parametrize("resumes", [True, False])
def test_a_broken_transfer_goes_on(server, resumes):
    """A server that cannot resume sends all of it again."""
    server.breaks, server.resumes = 300_000, resumes
    with pytest.raises(InputError, match=r"broke off after 300000 of 1280000.*goes on from there"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [0, 300_000]


def test_a_partial_file_that_is_whole(server):
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST)
    path.rename(path.with_name("file.bin.partial"))
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT


def test_another_file_is_never_used(server, tmp_path):
    with pytest.raises(InputError, match=f"SHA-256 {DIGEST}, expected 00112233"):
        downloads.fetch(f"{server.url}/file.bin", "00112233")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_file_that_was_changed_in_the_cache_is_fetched_again(server):
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST)
    path.write_bytes(CONTENT[:-1] + b"!")
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT


def test_what_is_not_there(server):
    with pytest.raises(InputError, match=r"missing.bin gave 404.*moved.*weights=PATH"):
        downloads.fetch(f"{server.url}/missing.bin", DIGEST)


def test_no_network(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=r"cannot download.*is there a network.*weights=PATH"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)


@pytest.mark.parametrize("checksum", ["", "0011", "no checksum at all"])
def test_checksums_that_are_none(server, checksum):
    with pytest.raises(InputError, match="expected at least 8 hexadecimal digits"):
        downloads.fetch(f"{server.url}/file.bin", checksum)


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
            "sha256": digest[:8],
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
    published.download("hf://somebody/model/folder/model.bin#sha256=0011223344")
    address = "https://huggingface.co/somebody/model/resolve/main/folder/model.bin"
    assert asked == [(address, "0011223344", None)]


def test_every_published_set_says_what_it_is():
    for name in zoo.list_entries():
        for published_set in zoo.describe(name)["weights"].values():
            assert {"data", "licence"} <= published_set.keys()
            if is_shipped(published_set):
                continue
            assert {"origin", "files"} <= published_set.keys()
            for file in published_set["files"].values():
                assert file["url"].startswith("https://")
                assert len(file["sha256"]) >= 8

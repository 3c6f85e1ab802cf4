"""Downloads from a server on this machine that can break off, move, lie, and resume.

It serves https:// with the certificate for localhost in tests/golden, which the tests trust.
"""

import hashlib
import http.server
import pathlib
import shutil
import ssl
import subprocess
import sys
import threading

import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo import downloads, published, registry
from kerasep.zoo.shipped import is_shipped

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"
CERTIFICATE = GOLDEN.parent / "localhost.pem"
CONTENT = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder; `server.breaks` bytes into a file the connection ends, once.

    `server.leads` is a dict from paths to where they lead; with `server.lengths` lengths are told.
    """
    monkeypatch.setenv("KERASEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.bin").write_bytes(CONTENT)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path in running.leads:
                self.send_response(302)
                self.send_header("Location", running.leads[self.path])
                self.end_headers()
                return
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
            if running.lengths:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            stop, running.breaks = running.breaks, None
            self.wfile.write(body[:stop])

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    running.leads, running.lengths = {}, True
    running.folder, running.breaks, running.resumes, running.requests = folder, None, True, []
    running.url = f"https://localhost:{running.server_port}"
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
    assert not [*(tmp_path / "cache").rglob("*")]


def test_a_file_that_was_changed_in_the_cache_is_fetched_again(server):
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST)
    path.write_bytes(CONTENT[:-1] + b"!")
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT


def test_what_is_not_there(server, tmp_path):
    with pytest.raises(InputError, match=r"missing.bin gave 404.*moved.*weights=PATH"):
        downloads.fetch(f"{server.url}/missing.bin", DIGEST)
    assert not [*(tmp_path / "cache").rglob("*")]


def test_a_checksum_of_which_all_but_the_first_digits_differ(server, tmp_path):
    with pytest.raises(InputError, match=f"SHA-256 {DIGEST}, expected {DIGEST[:8]}0000"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST[:8] + 56 * "0")
    assert not [*(tmp_path / "cache").rglob("*")]


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("size", [len(CONTENT) - 1, 1000])
def test_more_than_was_expected(server, tmp_path, size, lengths):
    server.lengths = lengths
    with pytest.raises(InputError, match=rf"received .* of .* bytes, expected {size}"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST, size=size)
    assert not [*(tmp_path / "cache").rglob("*")]


def test_less_than_was_expected(server, tmp_path):
    with pytest.raises(InputError, match="of 1280000 bytes, expected 1280001"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST, size=len(CONTENT) + 1)
    assert not [*(tmp_path / "cache").rglob("*")]


@pytest.mark.parametrize("lengths", [True, False])
def test_a_size_that_nobody_told_has_a_limit(server, tmp_path, monkeypatch, lengths):
    server.lengths = lengths
    monkeypatch.setattr(downloads, "LARGEST", len(CONTENT) - 1)
    with pytest.raises(InputError, match="bytes, expected at most 1279999"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)
    assert not [*(tmp_path / "cache").rglob("*")]
    monkeypatch.setattr(downloads, "LARGEST", len(CONTENT))
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT


def test_a_known_size_tells_where_a_server_without_lengths_broke_off(server):
    server.breaks, server.lengths = 300_000, False
    with pytest.raises(InputError, match="broke off after 300000 of 1280000"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST, size=len(CONTENT))
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [0, 300_000]


TWO = """
import importlib.util, sys
spec = importlib.util.find_spec("kerasep")
path = spec.submodule_search_locations[0] + "/zoo/downloads.py"
spec = importlib.util.spec_from_file_location("downloads", path)
downloads = importlib.util.module_from_spec(spec)
spec.loader.exec_module(downloads)
print("ready", flush=True)
sys.stdin.readline()
print(downloads.fetch(sys.argv[1], sys.argv[2]))
"""


@pytest.mark.parametrize("breaks", [None, 300_000])
def test_several_processes_at_once(server, tmp_path, breaks):
    """One downloads, and the others wait for it, or go on where it broke off."""
    (server.folder / "file.bin").write_bytes(CONTENT * 20)
    digest, server.breaks = hashlib.sha256(CONTENT * 20).hexdigest(), breaks
    command = [sys.executable, "-c", TWO, f"{server.url}/file.bin", digest]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(3)]
    assert [process.stdout.readline() for process in processes] == 3 * ["ready\n"]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert sum("broke off" in error for error in errors) == (1 if breaks else 0)
    assert sum(not error for error in errors) == (2 if breaks else 3)
    (path,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert path.read_bytes() == CONTENT * 20
    assert [start for _, start in server.requests] == ([0, breaks] if breaks else [0])


def test_a_process_that_is_killed_leaves_what_another_goes_on_with(server, tmp_path):
    partial = tmp_path / "cache" / DIGEST[:8] / "file.bin.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:5000])
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [5000]
    assert not partial.exists()


def test_a_certificate_that_nobody_vouches_for(server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(InputError, match="certificate verify failed"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)
    assert not server.requests


@pytest.mark.parametrize(
    "address",
    ["http://localhost/file.bin", "ftp://localhost/file.bin", "file:///etc/passwd", "HTTP://a/b"],
)
def test_only_https_is_used(server, address):
    with pytest.raises(InputError, match=r"expected (one that begins with )?https://"):
        downloads.fetch(address, DIGEST)
    server.leads["/there"] = address
    with pytest.raises(InputError, match=r"https://|not allowed"):
        downloads.fetch(f"{server.url}/there", DIGEST)


def test_an_address_that_leads_on(server):
    server.leads |= {"/there": "/here", "/here": f"{server.url}/file.bin", "/round": "/round"}
    assert downloads.fetch(f"{server.url}/there", DIGEST).read_bytes() == CONTENT
    with pytest.raises(InputError, match=r"gave 302"):
        downloads.fetch(f"{server.url}/round", DIGEST)


@pytest.mark.parametrize(
    "address",
    [
        *("https://", "https:///file", "https://[::1/file", "https://host:port/file"),
        *("https://host:99999/file", "https://host/a b", "https://host/a\nb", "https:/host/file"),
        *("https://host/caf\udce9",),
    ],
    ids=ascii,
)
def test_malformed_addresses(server, address):
    with pytest.raises(InputError, match=r"expected https://|cannot download") as caught:
        downloads.fetch(address, DIGEST)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("end", ["", "..", "a/..", ".hidden", "%2e%2e", "x" * 500])
def test_names_of_files_stay_in_the_cache(server, tmp_path, end):
    server.leads[f"/{end}"] = "/file.bin"
    path = downloads.fetch(f"{server.url}/{end}", DIGEST)
    assert path.parent == tmp_path / "cache" / DIGEST[:8]
    assert path.is_file()


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
    assert "of which its publisher tells" in caplog.text


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
    with pytest.raises(InputError, match=r"expected one that begins with https://|https://HOST"):
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
            if is_shipped(published_set):
                continue
            assert {"origin", "files"} <= published_set.keys()
            for file in published_set["files"].values():
                assert file["url"].startswith("https://")
                # Some publishers tell the beginning of it alone, in the name of the file.
                assert len(file["sha256"]) == 64 or file["sha256"] in file["url"].rpartition("/")[2]

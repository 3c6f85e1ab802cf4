"""Files are downloaded once, resumed, limited in size, and used only if they are right."""

import hashlib
import os
import subprocess
import sys

import pytest

from kerasep.errors import InputError
from kerasep.zoo import downloads
from tests.zoo.conftest import CONTENT

DIGEST = hashlib.sha256(CONTENT).hexdigest()


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
    with pytest.raises(InputError, match=r"broke off after \d+ of 1280000 .* again resumes it"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT
    resumed_after(server, 300_000)


def resumed_after(server, most):
    """The last block before the break, of 64 KB, may be received again."""
    first, second = [start for _, start in server.requests]
    assert first == 0
    assert most - 65536 < second <= most


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


def test_the_first_download_of_a_file_known_by_eight_digits_is_the_one_from_then_on(server):
    url = f"{server.url}/file.bin"
    path = downloads.fetch(url, DIGEST[:8])
    noted = path.with_name("file.bin.sha256")
    assert noted.read_text() == DIGEST
    other = DIGEST[:8] + 56 * "0"  # as if a file with the same first digits had come first
    noted.write_text(other)
    with pytest.raises(InputError, match=f"SHA-256 {DIGEST}, expected {other}"):
        downloads.fetch(url, DIGEST[:8])
    for malformed in ("", "no checksum", 64 * "1"):
        noted.write_text(malformed)
        assert downloads.fetch(url, DIGEST[:8]).read_bytes() == CONTENT


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
    with pytest.raises(InputError, match=r"broke off after \d+ of 1280000"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST, size=len(CONTENT))
    path = downloads.fetch(f"{server.url}/file.bin", DIGEST, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    resumed_after(server, 300_000)


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
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert sum("broke off" in error for error in errors) == (1 if breaks else 0)
    assert sum(not error for error in errors) == (2 if breaks else 3)
    (path,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert path.read_bytes() == CONTENT * 20
    if breaks:
        resumed_after(server, breaks)
    else:
        assert len(server.requests) == 1


@pytest.mark.parametrize("time", [1, 2])
def test_a_partial_file_that_another_process_removes(server, monkeypatch, time):
    looks, stat = [], os.stat

    def vanish(path, **options):
        if str(path).endswith("file.bin.partial"):
            looks.append(path)
            if len(looks) == time:
                os.unlink(path)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", vanish)
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT
    assert looks


def test_a_process_that_is_killed_leaves_what_another_goes_on_with(server, tmp_path):
    partial = tmp_path / "cache" / DIGEST[:8] / "file.bin.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:5000])
    assert downloads.fetch(f"{server.url}/file.bin", DIGEST).read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [5000]
    assert not partial.exists()


def test_a_certificate_that_nobody_vouches_for(server, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="certificate verify failed"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)
    assert not server.requests


@pytest.mark.parametrize(
    "address",
    ["http://localhost/file.bin", "ftp://localhost/file.bin", "file:///etc/passwd", "HTTP://a/b"],
)
def test_only_https_is_used(server, address):
    with pytest.raises(InputError, match=r"expected https://"):
        downloads.fetch(address, DIGEST)
    server.leads["/there"] = address
    with pytest.raises(InputError, match=r"cannot download .*No connection adapters"):
        downloads.fetch(f"{server.url}/there", DIGEST)


def test_an_address_that_leads_on(server):
    server.leads |= {"/there": "/here", "/here": f"{server.url}/file.bin", "/round": "/round"}
    assert downloads.fetch(f"{server.url}/there", DIGEST).read_bytes() == CONTENT
    with pytest.raises(InputError, match=r"cannot download .*redirects"):
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
    with pytest.raises(InputError, match=r"expected https://") as caught:
        downloads.fetch(address, DIGEST)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("end", ["", "..", "a/..", ".hidden", "%2e%2e", "x" * 500])
def test_names_of_files_stay_in_the_cache(server, tmp_path, end):
    server.leads |= dict.fromkeys((f"/{end}", "/..", "/"), "/file.bin")
    path = downloads.fetch(f"{server.url}/{end}", DIGEST)
    assert path.parent == tmp_path / "cache" / DIGEST[:8]
    assert path.is_file()


def test_no_network(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=r"cannot download.*check the network.*weights=PATH"):
        downloads.fetch(f"{server.url}/file.bin", DIGEST)


@pytest.mark.parametrize("checksum", ["", "0011", "no checksum at all"])
def test_checksums_that_are_none(server, checksum):
    with pytest.raises(InputError, match="expected at least 8 hexadecimal digits"):
        downloads.fetch(f"{server.url}/file.bin", checksum)

"""A server on this machine that can break off, move, lie, and resume.

It serves https:// with the certificate for localhost in tests/golden, which the tests trust.
"""

import http.server
import pathlib
import ssl
import threading

import pytest

CERTIFICATE = pathlib.Path(__file__).parents[1] / "golden" / "localhost.pem"
CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder; `server.breaks` bytes into a file the connection ends, once.

    `server.leads` is a dict from paths to where they lead; with `server.lengths` lengths are told.
    """
    monkeypatch.setenv("KERASEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
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

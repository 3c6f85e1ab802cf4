"""Reports the pages of the built documentation that are wider than a phone.

    python docs/check_width.py build/docs

Chromium opens every page in a frame of 390 pixels. Without Chromium nothing is checked.
"""

import functools
import html
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

WIDTH = 390
SCRIPT = """<!doctype html><meta charset="utf-8">
<iframe width="WIDTH" height="800"></iframe><pre></pre>
<script>
const frame = document.querySelector("iframe");
async function measure(page) {
  await new Promise((resolve) => { frame.onload = resolve; frame.src = page; });
  const { documentElement: root, body } = frame.contentDocument;
  return [page, Math.max(root.scrollWidth, body.scrollWidth)];
}
(async () => {
  const widths = [];
  for (const page of PAGES) widths.push(await measure(page));
  document.querySelector("pre").textContent = JSON.stringify(widths);
})();
</script>"""
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=600000"
)


def measure(folder):
    """Return the width in pixels of every page in a folder, by its path."""
    pages = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
    page = SCRIPT.replace("WIDTH", str(WIDTH)).replace("PAGES", json.dumps(pages))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())
            return None

        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory() as profile:
            address = f"http://127.0.0.1:{server.server_port}/"
            command = ["chromium", *OPTIONS.split(), f"--user-data-dir={profile}", "--dump-dom"]
            result = subprocess.run(
                [*command, address], capture_output=True, text=True, timeout=900, check=True
            )
        server.shutdown()
    return dict(json.loads(html.unescape(re.search("<pre>(.*)</pre>", result.stdout)[1])))


def main():
    """Measure the pages, and fail if one is too wide."""
    if not shutil.which("chromium"):
        print("the width of the pages is not checked: there is no chromium")
        return
    widths = measure(pathlib.Path(sys.argv[1]))
    wide = [f"{page}: {width} pixels" for page, width in widths.items() if width > WIDTH]
    print("\n".join(wide) or f"{len(widths)} pages fit into {WIDTH} pixels")
    sys.exit(bool(wide))


if __name__ == "__main__":
    main()

/** A folder on localhost, as any static host serves it: without headers for isolation. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml" };

/**
 * Serve a folder.
 *
 * @param {string} folder
 * @param {Record<string, string>} instead paths, and those of the files that are sent instead
 * @param {string[]} held paths that wait until they are released
 * @returns {Promise<{url: string, requests: string[], release: (path: string) => void, down: boolean, close: () => void}>}
 *   `down`: whether all connections are cut
 */
export async function serve(folder, instead = {}, held = []) {
  const state = { requests: [], down: false };
  const release = {};
  const gates = Object.fromEntries(held.map((path) => [path, new Promise((open) => (release[path] = open))]));
  const server = createServer(async (request, response) => {
    if (state.down) return request.socket.destroy();
    state.requests.push(request.url);
    const asked = normalize(decodeURI(new URL(request.url, "http://localhost").pathname));
    await gates[asked];
    const path = instead[asked] ?? asked;
    try {
      const content = await readFile(join(folder, path.endsWith("/") ? `${path}index.html` : path));
      response.writeHead(200, { "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream" });
      response.end(content);
    } catch {
      response.writeHead(404, { "content-type": "text/html" });
      response.end("<!doctype html>not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}/`,
    release: (path) => release[path](),
    close: () => server.close(),
  });
}

/** The page's service worker: what was once loaded is there without a network, and threads are allowed. */

const CACHE = "kerasep";
const SHELL = ["./", "style.css", "page.js", "worker.js", "live_worker.js", "worklet.js", "manifest.json", "icon.svg"];
// Pages that no other can reach into may share memory between threads.
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "GET" || new URL(url).origin !== location.origin) return;
  event.respondWith(answer(event));
});

/** From the network, and where it cannot be reached, as it was the last time. */
async function answer(event) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(event.request);
    if (response.status === 200) event.waitUntil(cache.put(event.request, response.clone()));
    return isolated(event.request, response);
  } catch (error) {
    const kept = await cache.match(event.request, { ignoreSearch: true });
    if (kept) return isolated(event.request, kept);
    throw error;
  }
}

/** The page itself with the headers that isolate it; other files as they are. */
function isolated(request, response) {
  if (request.mode !== "navigate" || response.redirected) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

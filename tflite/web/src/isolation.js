/** The service worker: it keeps the page for times without a network, and isolates it for threads. */

const PATIENCE = 3000; // milliseconds until it has taken over
const RELOADED = "reloaded for isolation";

/**
 * Register it, and reload the page once when it has taken over, so that the page is isolated.
 *
 * @param {() => boolean} busy whether the user has begun to do something, and a reload would lose it
 */
export async function isolate(busy) {
  if (!navigator.serviceWorker) return;
  try {
    const taken = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
      setTimeout(resolve, PATIENCE);
    });
    const registration = await navigator.serviceWorker.register("sw.js");
    if (self.crossOriginIsolated) return sessionStorage.removeItem(RELOADED);
    // After a reload that goes past the worker, it is active but never takes over.
    if (!navigator.serviceWorker.controller && !registration.active) await taken;
    if (busy() || sessionStorage.getItem(RELOADED)) return;
    sessionStorage.setItem(RELOADED, "yes");
    location.reload();
    await new Promise(() => {});
  } catch (error) {
    console.warn("The page works without a service worker:", error);
  }
}

/** The mixer by keys: space, arrows, M and S, A and B. */

const SECONDS = 5; // that an arrow moves

/**
 * Listen until the signal ends it.
 *
 * @param {object} mixer its `toggle`, `seekBy`, `select`, `mute`, `solo` and `mark`
 * @param {AbortSignal} signal
 */
export function listenToKeys(mixer, signal) {
  const actions = {
    ArrowLeft: () => mixer.seekBy(-SECONDS),
    ArrowRight: () => mixer.seekBy(SECONDS),
    ArrowUp: () => mixer.select(-1),
    ArrowDown: () => mixer.select(1),
    " ": () => mixer.toggle(),
    m: () => mixer.mute(),
    s: () => mixer.solo(),
    a: () => mixer.mark("start"),
    b: () => mixer.mark("end"),
  };
  const press = (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || takes(event.target, key)) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", press, { signal });
}

/** Whether an element has a use of its own for a key. */
function takes(target, key) {
  if (target.closest("select")) return true;
  if (target.id === "position") return key === "ArrowUp" || key === "ArrowDown";
  if (target.closest("input")) return key === " " || key.startsWith("Arrow");
  return key === " " && Boolean(target.closest("button, a"));
}

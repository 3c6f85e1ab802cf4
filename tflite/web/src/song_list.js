/** The list of songs, shown where there are several. */

const element = (id) => document.getElementById(id);

/**
 * Show songs and how far each is.
 *
 * @param {object[]} songs
 * @param {object | null} open the one in the mixer
 * @param {{open: (song: object) => void, remove: (song: object) => void}} actions
 */
export function showSongs(songs, open, actions) {
  element("songs").hidden = songs.length < 2;
  const rows = element("song-list");
  const before = new Map([...rows.children].map((row) => [row.song, row]));
  const now = songs.map((song) => before.get(song) ?? newRow(song, actions));
  if (now.length !== rows.children.length || now.some((row, index) => row !== rows.children[index])) {
    rows.replaceChildren(...now);
  }
  now.forEach((row) => showRow(row, row.song === open));
}

function newRow(song, actions) {
  const row = element("song-row").content.firstElementChild.cloneNode(true);
  row.song = song;
  row.querySelector(".song-name").textContent = song.file.name;
  const [show, remove] = [row.querySelector(".show"), row.querySelector(".remove")];
  show.setAttribute("aria-label", `Open ${song.file.name}`);
  remove.setAttribute("aria-label", `Remove ${song.file.name}`);
  show.onclick = () => actions.open(song);
  remove.onclick = () => actions.remove(song);
  return row;
}

function showRow(row, open) {
  const { state, result, share = 0, error } = row.song;
  const words = {
    waiting: "waiting",
    working: `${Math.floor(100 * share)}\u00a0%`,
    ready: open ? "open" : "ready",
    failed: error?.message,
  };
  const text = row.querySelector(".song-state");
  if (text.textContent !== words[state]) text.textContent = words[state];
  row.dataset.state = state;
  row.classList.toggle("current", open);
  row.querySelector(".show").classList.toggle("absent", open || !result);
}

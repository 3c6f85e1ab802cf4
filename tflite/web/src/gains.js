/** What each source of a mixer is multiplied by. */

export const SILENT_DB = -40; // the fader's lower end

/** @param {number} db level of a fader; its lower end is silence */
export function fromDb(db) {
  return db <= SILENT_DB ? 0 : 10 ** (db / 20);
}

/**
 * A soloed source silences those that are not; a muted one is silent even so.
 *
 * @param {{db: number, muted: boolean, solo: boolean}[]} strips
 * @returns {number[]}
 */
export function gains(strips) {
  const solo = strips.some((strip) => strip.solo);
  return strips.map(({ db, muted, solo: own }) => (muted || (solo && !own) ? 0 : fromDb(db)));
}

/** Models: those that lie beside the page, and files of the user's. */

import { InputError } from "./errors.js";
import { parseMetadata } from "./metadata.js";

const FOLDER = "models/";

/**
 * Find what lies beside the page.
 *
 * @returns {Promise<{models: {file: string, name: string}[], live: {file: string, name: string}[],
 *   example: string | null}>}
 */
export async function index() {
  const response = await fetch(`${FOLDER}index.json`).catch(() => null);
  if (!response) {
    throw new InputError("The page cannot reach its own files: check your connection, and reload the page.");
  }
  const none = { models: [], live: [], example: null };
  return response.ok ? { ...none, ...(await response.json()) } : none;
}

/** A file beside the page. */
export async function fetched(file) {
  try {
    const response = await fetch(FOLDER + encodeURIComponent(file));
    if (response.ok) return new File([await response.blob()], file);
  } catch {
    // Said below, as of a file that is not there.
  }
  throw new InputError(`${file} cannot be downloaded: check your connection, and try again.`);
}

/**
 * Read a model.
 *
 * @param {File} file
 * @returns {Promise<{content: ArrayBuffer, name: string, metadata: object}>}
 */
export async function read(file) {
  if (!file.size) throw new InputError(`${file.name} is empty: download or export it again.`);
  const content = await file.arrayBuffer();
  return { content, name: file.name, metadata: parseMetadata(content, file.name) };
}

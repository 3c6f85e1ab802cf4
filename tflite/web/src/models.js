/** Models: those that lie beside the page, and files of the user's. */

import { InputError } from "./errors.js";
import { parseMetadata } from "./metadata.js";

const FOLDER = "models/";

/**
 * Find what lies beside the page.
 *
 * @returns {Promise<{models: {file: string, name: string}[], example: string | null}>}
 */
export async function index() {
  try {
    const response = await fetch(`${FOLDER}index.json`);
    if (response.ok) return await response.json();
  } catch {
    // None there, as for a page that is served without: files can still be opened.
  }
  return { models: [], example: null };
}

/** A file beside the page. */
export async function fetched(file) {
  const response = await fetch(FOLDER + encodeURIComponent(file)).catch(() => null);
  if (!response?.ok) {
    throw new InputError(`${file} cannot be downloaded: check your connection, and try again.`);
  }
  return new File([await response.blob()], file);
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

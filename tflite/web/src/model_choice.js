/** Which model is used: one beside the page, or a file of the user's. */

import * as models from "./models.js";
import { LoadedModel } from "./separation.js";
import { describe } from "./words.js";
import { showError } from "./work.js";

const element = (id) => document.getElementById(id);

export class ModelChoice {
  /**
   * @param {(action: () => Promise<void>) => Promise<void>} attempt does something that may fail
   * @param {{used: () => void, live: (file: File) => void}} on called when another model is used, and with
   *   files for live sound
   */
  constructor(attempt, on) {
    Object.assign(this, { attempt, on });
    this.model = null; // a LoadedModel
    this.own = null; // a file of the user's
    this.option = null; // the one of the model in use
    this.loading = Promise.resolve(); // settles when no model is on its way; never fails
    element("model").onchange = () => this.load(() => this.choose());
  }

  /** The model in use, once those on their way have been read; null if there is none. */
  async current() {
    for (let loading; loading !== this.loading; ) {
      loading = this.loading;
      await loading;
    }
    return this.model;
  }

  /** Offer what lies beside the page; songs wait for it. */
  start(list) {
    this.load(async () => {
      const beside = await list();
      const select = element("model");
      beside.forEach(({ file, name }) => select.add(new Option(name, file), select.querySelector("[data-own]")));
      select.disabled = !select.options.length;
      if (this.model) return; // the user has opened a file meanwhile
      if (beside.length) await this.choose();
      else element("about").textContent = "No model is included: open a .tflite file that kerasep exported.";
    });
  }

  /** Use a file of the user's. */
  open(file) {
    this.load(async () => {
      if (!(await this.use(file))) return;
      const select = element("model");
      select.querySelector("[data-own]")?.remove();
      const option = new Option(file.name, "", true, true);
      option.dataset.own = "";
      select.add(option);
      select.disabled = false;
      [this.own, this.option] = [file, option];
    });
  }

  async choose() {
    const select = element("model");
    const [option] = select.selectedOptions;
    try {
      const file = "own" in option.dataset ? this.own : await models.fetched(option.value);
      if (option !== select.selectedOptions[0]) return; // another was chosen meanwhile
      await this.use(file);
      this.option = option;
    } catch (error) {
      if (this.option) this.option.selected = true;
      throw error;
    }
  }

  /** Use a model, if it is one for songs; where it cannot be read, the one before stays. */
  async use(file) {
    const read = await models.read(file);
    if (read.metadata.live) {
      this.on.live(file);
      return false;
    }
    this.model?.close();
    const model = new LoadedModel(read);
    this.model = model;
    model.ready.catch((error) => this.model === model && error.name !== "AbortError" && showError(error));
    element("about").textContent = describe(read.metadata, file.size);
    this.on.used();
    return true;
  }

  load(action) {
    const earlier = this.loading;
    this.loading = Promise.all([earlier, this.attempt(action)]);
  }
}

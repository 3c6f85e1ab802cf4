/** The songs of this visit, which are separated one after the other. */

const AGAIN = new DOMException("another model is used", "AbortError");

export class Songs {
  /**
   * @param {(song: object, signal: AbortSignal) => Promise<object>} separate a song; may throw `NoModel`
   * @param {(song: object) => void} changed called whenever a song has another state
   */
  constructor(separate, changed) {
    this.separate = separate;
    this.changed = changed;
    this.list = [];
    this.current = null;
  }

  /** Add files; the first of them is opened when it is ready. */
  add(files) {
    this.list = this.list.filter(({ state }) => state !== "failed");
    files.forEach((file, index) => {
      const song = { file, state: "waiting", opens: index === 0, result: null, error: null };
      this.list.push(song);
      this.changed(song);
    });
    return this.resume();
  }

  /** Separate a song that is ready once more. */
  again(song) {
    Object.assign(song, { state: "waiting", opens: true });
    this.changed(song);
    return this.resume();
  }

  /** Stop a song and forget it; one that has been separated before keeps what it has. */
  cancel(song) {
    const controller = this.current?.song === song ? this.current.controller : null;
    if (song.result) song.state = "ready";
    else this.list = this.list.filter((other) => other !== song);
    this.changed(song);
    controller?.abort();
  }

  /** Begin again with the song at work, for which there is another model. */
  restart() {
    this.current?.controller.abort(AGAIN);
    return this.resume();
  }

  /** Work until no song waits, or the one that does has no model to wait for. */
  async resume() {
    if (this.current) return;
    for (let song; (song = this.list.find(({ state }) => state === "waiting")); ) {
      const controller = new AbortController();
      this.current = { song, controller };
      song.state = "working";
      this.changed(song);
      const state = await this.outcome(song, controller.signal);
      this.current = null;
      // One that was cancelled has its state already.
      if (song.state === "working") song.state = state;
      this.changed(song);
      if (song.state === "waiting" && controller.signal.reason !== AGAIN) return;
    }
  }

  async outcome(song, signal) {
    try {
      song.result = await this.separate(song, signal);
      song.error = null;
      return "ready";
    } catch (error) {
      if (signal.aborted || error instanceof NoModel) return "waiting";
      song.error = error;
      return song.result ? "ready" : "failed";
    }
  }
}

/** There is no model, so a song has to wait until there is one. */
export class NoModel extends Error {}

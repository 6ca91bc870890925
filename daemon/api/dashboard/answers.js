// SPDX-License-Identifier: LGPL-2.1-or-later
// Answers that one view asks for while it is shown: an explanation, a forecast, a page of the history. The last answer stays
// until the next one is there, so that nothing flickers while a slider is moved.

import {get} from "./api.js";

const SETTLE_MS = 120; // a path that changes again within this time is not asked for
const PAUSE_MS = 2_000; // between two times that the same is asked for

export class Answer {
  constructor(changed) {
    this.value = null;
    this.error = null;
    this.isCurrent = false; // value is the answer to what was asked for last
    this._changed = changed;
    this._path = null;
    this._subject = null;
    this._generation = -1;
    this._timer = null;
    this._aborter = null;
    this._asked = 0;
  }

  // To be called whenever the view is drawn. Answers about another subject are not shown meanwhile. generation: changes when
  // the answer may have changed; the same number never does.
  ask(path, subject, generation = 0) {
    if (subject !== this._subject) {
      this.value = this.error = null;
      this._subject = subject;
    }
    if (path !== this._path) {
      this.isCurrent = false;
      this._schedule(path, generation, this.value === null ? 0 : SETTLE_MS);
    } else if (generation !== this._generation) {
      this._schedule(path, generation, Math.max(SETTLE_MS, this._asked + PAUSE_MS - Date.now()));
    }
    return this;
  }

  // Nothing is asked for any more.
  end() {
    clearTimeout(this._timer);
    this._aborter?.abort();
    this._path = this._subject = this.value = this.error = null;
  }

  _schedule(path, generation, delay_ms) {
    const isAsked = path === this._path && this._timer !== null;
    this._path = path;
    this._generation = generation;
    if (isAsked)
      return;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._fetch(path), delay_ms);
  }

  async _fetch(path) {
    this._timer = null;
    this._asked = Date.now();
    this._aborter?.abort();
    const aborter = this._aborter = new AbortController();
    try {
      const value = await get(path, aborter.signal);
      if (aborter.signal.aborted)
        return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (aborter.signal.aborted)
        return;
      this.error = error;
    }
    this.isCurrent = path === this._path;
    this._changed();
  }
}

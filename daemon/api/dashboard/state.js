// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page knows of the daemon: lists that are asked for once a view wants them, and kept up to date by what the stream
// tells. Knows nothing of how it is shown.

import {get, getList} from "./api.js";
import {follow} from "./stream.js";

const keyOf = item => item.id ?? `${item.hypervisor}/${item.uuid}`;
const byName = new Intl.Collator("en", {numeric: true});
const RECENT_RECOVERIES = 50;
// A plan is worked out anew for each answer: not more often than this.
const PLAN_PAUSE_MS = 1_500;
const NOTICES_KEPT = 40;

// The notices that are shown as they come.
export const NOTICE_KINDS = [
  "failure-detected", "failure-unprotected", "failure-pending", "decided", "started", "attempt-failed", "vetoed", "recovered",
  "exhausted", "dismissed", "observed", "called-off", "kept", "not-kept", "brake-on", "brake-off", "hold-begun", "hold-ended",
  "failed-while-held", "hypervisor-up", "hypervisor-down", "host-lost", "host-fenced", "fence-failed", "host-back",
  "host-rebooted", "hosts-isolated", "hosts-rejoined", "both-run", "both-resolved", "warmed", "warm-failed", "problem-begun",
  "problem-ended", "store-failed", "store-works",
];

// A document that is asked for while a view wants it, and again when it is stale.
class Source {
  // onAnswer(hasFailed)
  constructor(load, onAnswer, pause_ms = 0) {
    this.value = null;
    this.error = null;
    this.isWanted = false;
    this.isBehind = false; // events were missed since the value was asked for
    this._load = load;
    this._onAnswer = onAnswer;
    this._pause_ms = pause_ms;
    this._isLoading = false;
    this._isStale = false;
    this._fellBehind = false; // while it was being loaded
    this._endPause = null;
    this._meanwhile = null; // changes that came while it was being loaded
  }

  want() {
    if (this.isWanted)
      return;
    this.isWanted = true;
    this.refresh();
  }

  forget() {
    this.isWanted = this.isBehind = false;
    this.value = null;
  }

  // Events are missed.
  fallBehind() {
    this._fellBehind = true;
    this.isBehind ||= this.value !== null;
    this._endPause?.();
  }

  async refresh() {
    this._isStale = true;
    if (!this.isWanted || this._isLoading)
      return;
    this._isLoading = true;
    while (this._isStale && this.isWanted) {
      this._isStale = this._fellBehind = false;
      this._meanwhile = [];
      let hasFailed = false;
      try {
        this.value = await this._load();
        this.error = null;
        this.isBehind = this._fellBehind;
        // In their order, they end in what is true now, wherever among them the answer was made.
        this._meanwhile.forEach(change => change(this.value));
      } catch (error) {
        this.error = error;
        hasFailed = this.isBehind = this.isWanted;
      }
      this._meanwhile = null;
      this._onAnswer(hasFailed);
      if (this._pause_ms > 0)
        await new Promise(done => {
          this._endPause = done;
          setTimeout(done, this._pause_ms);
        });
    }
    this._isLoading = false;
  }

  // Applies what the stream told, now and to an answer that is on its way.
  apply(change) {
    if (this.value !== null)
      change(this.value);
    this._meanwhile?.push(change);
  }
}

const received = new WeakMap(); // when each item came, by the clock of the page

// For how long a recovery is under way: as the daemon said, and since then. The clocks of both may differ.
export const runningFor_ms = recovery => recovery.duration_ms + performance.now() - received.get(recovery);

// A list as a map by key, with an order that is made when it is asked for.
class Items {
  constructor(items, compare) {
    this._map = new Map();
    this._compare = compare;
    items.forEach(item => this.put(item));
  }

  put(item) {
    received.set(item, performance.now());
    this._map.set(keyOf(item), item);
    this._sorted = null;
  }

  remove(item) {
    this._map.delete(keyOf(item));
    this._sorted = null;
  }

  get sorted() {
    return this._sorted ??= [...this._map.values()].sort(this._compare);
  }
}

const newestFirst = (a, b) => (a.detected_at < b.detected_at ? 1 : a.detected_at > b.detected_at ? -1 : byName.compare(b.id, a.id));
const byPriority = (a, b) => b.priority - a.priority || byName.compare(a.name, b.name);

export function createState(changed, spoken) {
  const state = {
    // since: the last time that everything shown was current, or null; begun: when the page began to follow.
    connection: {
      isOpen: false, isLost: false, since: null, begun: Date.now(),
      get isLive() {
        return this.isOpen && this.since !== null && !isBehind();
      },
      // Without the stream, everything is asked for again and again.
      get isDelayed() {
        return !this.isOpen && !this.isLost && this.since !== null && !isBehind();
      },
    },
    notices: [],                                               // the newest first
    // They count what may change answers that no event carries: the plan, for what is worked out in a copy of the daemon; and
    // anything, for what is asked for easily.
    planGeneration: 0,
    generation: 0,
    status: new Source(() => get("/v1/status"), onAnswer, 1_000),
    services: new Source(async () => new Items(await getList("services"), byPriority), onAnswer),
    machines: new Source(async () => new Items(await getList("machines"), (a, b) => byName.compare(a.name, b.name)), onAnswer),
    recoveries: new Source(
      async () => new Items((await get(`/v1/recoveries?limit=${RECENT_RECOVERIES}`)).recoveries, newestFirst), onAnswer),
    plan: new Source(() => get("/v1/plan"), onAnswer, PLAN_PAUSE_MS),
  };
  const sources = [state.status, state.services, state.machines, state.recoveries, state.plan];

  function isBehind() {
    return sources.some(source => source.isWanted && source.isBehind);
  }

  function heard() {
    if (isBehind())
      return;
    state.connection.isLost = false;
    state.connection.since = Date.now();
  }

  function onAnswer(hasFailed) {
    if (hasFailed)
      state.connection.isLost = true;
    else
      heard();
    changed();
  }

  function onPlan() {
    state.planGeneration++;
    state.plan.refresh();
  }

  function refreshAll() {
    state.planGeneration++;
    for (const source of sources)
      source.refresh();
  }

  function fallBehind() {
    for (const source of sources)
      source.fallBehind();
  }

  const put = source => document => source.apply(items => items.put(document));
  const remove = source => document => source.apply(items => items.remove(document));
  const setInStatus = name => document => state.status.apply(status => {
    status[name] = document[name];
  });
  const handlers = {
    "machine": put(state.machines),
    "machine-gone": remove(state.machines),
    "service": put(state.services),
    "service-gone": remove(state.services),
    "recovery": put(state.recoveries),
    "problems": setInStatus("problems"),
    "hypervisors": setInStatus("hypervisors"),
    "holds": setInStatus("holds"),
    "plan": onPlan,
    "machines": () => state.machines.refresh(),
    "services": () => state.services.refresh(),
    "recoveries": () => state.recoveries.refresh(),
    "missed": () => {
      fallBehind();
      refreshAll();
    },
  };

  function onEvent(name, document) {
    heard();
    if (name in handlers) {
      state.generation++;
      handlers[name](document);
    } else {
      state.notices.unshift(document);
      state.notices.length = Math.min(state.notices.length, NOTICES_KEPT);
      spoken(document.text);
    }
    state.status.refresh(); // for its counts
    changed();
  }

  // The views that are shown want these; the others are dropped, and asked for when they are wanted again.
  state.want = names => {
    for (const source of sources)
      if (source !== state.status && !names.some(name => state[name] === source))
        source.forget();
    for (const name of names)
      state[name].want();
  };

  state.begin = () => {
    state.status.want();
    follow([...Object.keys(handlers), ...NOTICE_KINDS], {
      onEvent,
      onOpen() {
        state.connection.isOpen = true;
        state.generation++;
        fallBehind();
        refreshAll();
        changed();
      },
      onLost() {
        Object.assign(state.connection, {isOpen: false, isLost: true});
        fallBehind();
        changed();
      },
      onBegin() {
        state.connection.begun = Date.now();
      },
      onPause() {
        state.connection.isOpen = false;
        fallBehind();
        changed();
      },
      onPulse(status) {
        state.status.apply(value => Object.assign(value, status));
        if (!state.connection.isOpen)
          refreshAll();
        else
          sources.filter(source => source.isBehind).forEach(source => source.refresh());
        heard();
        changed();
      },
    });
    return state;
  };
  return state;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// The event stream of the daemon, and whether what the page shows is current: it is as long as the stream is open and the
// daemon answers. Knows nothing of what events mean.

const RETRY_MS = 2_000;
const PULSE_MS = 10_000;
const PULSE_PATIENCE_MS = 8_000;

// What is told beside notices.
const DOCUMENTS = ["machine", "machine-gone", "service", "service-gone", "recovery", "problems", "hypervisors", "holds",
                   "plan", "machines", "services", "recoveries", "missed"];

// kinds: of the notices that are wanted. onEvent(name, document), onOpen(), onLost(), onPause(), onPulse(status).
// onOpen is called for each connection: what was missed before it must be asked for. A page that is hidden pauses: a browser
// has six connections to a host for all its tabs.
export function follow(kinds, {onEvent, onOpen, onLost, onPause, onPulse}) {
  let source = null, retry = null, isLost = true;

  function lose() {
    if (!isLost)
      onLost();
    isLost = true;
  }

  function reconnect() {
    source?.close();
    clearTimeout(retry);
    lose();
    retry = setTimeout(connect, RETRY_MS);
  }

  function pause() {
    source?.close();
    source = null;
    clearTimeout(retry);
    isLost = true;
    onPause();
  }

  function connect() {
    source?.close();
    source = new EventSource("/v1/events");
    source.onopen = () => {
      isLost = false;
      onOpen();
    };
    // A browser gives up for good after some errors, and waits long after others.
    source.onerror = reconnect;
    for (const name of [...DOCUMENTS, ...kinds])
      source.addEventListener(name, event => onEvent(name, JSON.parse(event.data || "null")));
  }

  // A connection whose other end is gone is silent, as one on which nothing happens is.
  async function pulse() {
    if (document.hidden)
      return;
    try {
      const response = await fetch("/v1/status", {signal: AbortSignal.timeout(PULSE_PATIENCE_MS), cache: "no-store"});
      if (response.ok)
        onPulse(await response.json());
    } catch {
      if (!isLost)
        reconnect();
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden ? pause() : connect());
  window.addEventListener("pagehide", pause);
  window.addEventListener("pageshow", event => event.persisted && connect());
  connect();
  setInterval(pulse, PULSE_MS);
}

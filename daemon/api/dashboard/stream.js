// SPDX-License-Identifier: LGPL-2.1-or-later
// The event stream of the daemon, and whether the daemon answers at all. Knows nothing of what events mean.

const RETRY_MS = 2_000;
const PULSE_MS = 10_000;
const FIRST_PULSE_MS = 1_000; // after it began to follow
const PULSE_PATIENCE_MS = 8_000;

// names: of the events that are wanted. onEvent(name, document), onOpen(), onLost(), onBegin(), onPause(), onPulse(status).
// onOpen is called for each connection: what was missed before it must be asked for. onLost: an open stream has ended, or the
// daemon does not answer; it may be called again and again. A page that is hidden pauses, and begins anew when it is shown: a
// browser has six connections to a host for all its tabs.
export function follow(names, {onEvent, onOpen, onLost, onBegin, onPause, onPulse}) {
  let source = null, isOpen = false, retry = null, nextPulse = null, pulsing = null;

  function close() {
    source?.close();
    source = null;
    isOpen = false;
    clearTimeout(retry);
  }

  function reconnect() {
    close();
    retry = setTimeout(connect, RETRY_MS);
  }

  function connect() {
    close();
    source = new EventSource("/v1/events");
    source.onopen = () => {
      isOpen = true;
      onOpen();
    };
    // A browser gives up for good after some errors, and waits long after others.
    source.onerror = () => {
      if (isOpen)
        onLost();
      reconnect();
    };
    for (const name of names)
      source.addEventListener(name, event => onEvent(name, JSON.parse(event.data || "null")));
  }

  // A connection whose other end is gone is silent, as one on which nothing happens is.
  async function pulse() {
    const own = pulsing = new AbortController();
    nextPulse = setTimeout(pulse, PULSE_MS);
    try {
      const signal = AbortSignal.any([own.signal, AbortSignal.timeout(PULSE_PATIENCE_MS)]);
      const response = await fetch("/v1/status", {signal, cache: "no-store"});
      if (!response.ok)
        throw new Error(response.statusText);
      const status = await response.json();
      if (!own.signal.aborted)
        onPulse(status);
    } catch {
      if (own.signal.aborted)
        return;
      onLost();
      reconnect();
    }
  }

  function stopPulse() {
    clearTimeout(nextPulse);
    pulsing?.abort();
  }

  function begin() {
    stopPulse();
    nextPulse = setTimeout(pulse, FIRST_PULSE_MS);
    onBegin();
    connect();
  }

  function pause() {
    stopPulse();
    close();
    onPause();
  }

  document.addEventListener("visibilitychange", () => document.hidden ? pause() : begin());
  window.addEventListener("pagehide", pause);
  window.addEventListener("pageshow", event => event.persisted && begin());
  if (!document.hidden)
    begin();
}

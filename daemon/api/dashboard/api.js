// SPDX-License-Identifier: LGPL-2.1-or-later
// Asks the daemon. Only reads.

// An answer that is no success, or none at all. `status` is 0 without an answer; `hint` says what to do, or is null.
class ApiError extends Error {
  constructor(status, message, hint = null) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

const PATIENCE_MS = 30_000;
// Answers are worked out in copies of the daemon, of which there are few at a time.
const BUSY_RETRIES = 8;
const BUSY_PAUSE_MS = 400;

const pause = ms => new Promise(done => setTimeout(done, ms));

async function ask(path, signal) {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  let response, document;
  try {
    response = await fetch(path, {signal: signal ? AbortSignal.any([signal, timeout]) : timeout, cache: "no-store"});
    document = await response.json();
  } catch (error) {
    if (signal?.aborted)
      throw signal.reason;
    throw new ApiError(response?.status ?? 0, String(error.message ?? error));
  }
  if (!response.ok)
    throw new ApiError(response.status, document.error ?? response.statusText, document.hint ?? null);
  return document;
}

// The document at a path of the API, such as "/v1/status".
export async function get(path, signal = null) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask(path, signal);
    } catch (error) {
      if (error.status !== 503 || attempt === BUSY_RETRIES)
        throw error;
    }
    await pause(BUSY_PAUSE_MS);
    signal?.throwIfAborted();
  }
}

// All items of a list; `name` is both its path and its member.
export async function getList(name) {
  const items = [];
  let page = null;
  do {
    page = await get(`/v1/${name}${page === null ? "" : `?before=${encodeURIComponent(page.next_page)}`}`);
    items.push(...page[name]);
  } while (page.next_page !== null);
  return items;
}

// A machine or service has a name only on its hypervisor; the UUID alone tells it where one is defined on one host only.
export function machinePath(id, rest = "") {
  return `/v1/machines/${encodeURIComponent(id)}${rest}`;
}

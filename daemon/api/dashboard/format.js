// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers, times and amounts as the chosen language writes them.

let language = "en";
const made = new Map();

export function setFormatLanguage(chosen) {
  language = chosen;
  made.clear();
}

// Formatters are slow to make, and thousands of numbers are written.
function formatter(type, options = {}) {
  const key = `${type.name} ${JSON.stringify(options)}`;
  if (!made.has(key))
    made.set(key, new type(language, options));
  return made.get(key);
}

const write = (value, options) => formatter(Intl.NumberFormat, options).format(value);
const writeTime = (value, options) => formatter(Intl.DateTimeFormat, options).format(new Date(value));

export const number = value => write(value);

// Scores as the paper and understudyctl write them.
export const score = value =>
  value === null || value === undefined ? "–" : write(value, {minimumFractionDigits: 4, maximumFractionDigits: 4});

export const fraction = value => write(value, {maximumFractionDigits: 4});

const unit = (value, name, digits = 0) =>
  write(value, {style: "unit", unit: name, unitDisplay: "narrow", minimumFractionDigits: 0, maximumFractionDigits: digits});

// 0.4ms, 58ms, 1.5s, 3m 20s, 2h 5m, 4d 3h
export function span(ms) {
  if (ms === null || ms === undefined)
    return "–";
  if (ms < 1_000)
    return unit(ms, "millisecond", ms < 10 ? 1 : 0);
  if (ms < 60_000)
    return unit(ms / 1_000, "second", ms < 10_000 ? 2 : 1);
  const steps = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]];
  const first = steps.findIndex(([, size]) => ms >= size);
  const [name, size] = steps[first], [restName, restSize] = steps[first + 1];
  const whole = Math.floor(ms / size), rest = Math.floor((ms - whole * size) / restSize);
  return unit(whole, name) + (rest > 0 ? ` ${unit(rest, restName)}` : "");
}

// "3 minutes ago"; instants are RFC 3339 or milliseconds.
export function ago(instant, now = Date.now()) {
  // The clock of the daemon's host may be ahead.
  const seconds = Math.min(0, new Date(instant).getTime() - now) / 1_000;
  const steps = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
  const [name, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? steps.at(-1);
  return formatter(Intl.RelativeTimeFormat, {numeric: "auto"}).format(Math.trunc(seconds / size), name);
}

export const instant = value =>
  value === null || value === undefined ? "–" : writeTime(value, {dateStyle: "medium", timeStyle: "medium", hourCycle: "h23"});

const CLOCK = {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"};

export const clock = value => writeTime(value, CLOCK);
export const clockMs = value => writeTime(value, {...CLOCK, fractionalSecondDigits: 3});

export function amount(bytes) {
  if (bytes === null || bytes === undefined)
    return "–";
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  while (bytes >= 1024 && step < names.length - 1) {
    bytes /= 1024;
    step++;
  }
  return `${write(bytes, {maximumFractionDigits: bytes < 10 ? 1 : 0})} ${names[step]}`;
}

// "one" or "other", as the language tells them apart.
export const plural = n => formatter(Intl.PluralRules).select(n);

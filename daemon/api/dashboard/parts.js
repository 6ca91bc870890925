// SPDX-License-Identifier: LGPL-2.1-or-later
// Small pieces that several views are made of.

import {h} from "./dom.js";
import {t, word} from "./i18n.js";
import {link} from "./router.js";
import * as format from "./format.js";

// What the API says in sentences is English in every language of the page.
export const told = (text, tag = "span", properties = {}) => h(tag, {...properties, lang: "en"}, text);

export const machineLink = (name, properties = {}) => h("a", {class: "name", ...properties, href: link(["machines", name])}, name);
export const hostLink = name => h("a", {class: "quiet", href: link(["hosts", name])}, name);
export const recoveryLink = (id, text) => h("a", {href: link(["recoveries", id])}, text);

// How a state of a machine, service, recovery or host is coloured.
const tones = {
  "up": "good", "running": "good", "reachable": "good", "recovered": "good",
  "recovering": "busy", "starting": "busy", "stopping": "busy",
  "down": "bad", "crashed": "bad", "exhausted": "bad", "lost": "bad", "unfenced": "bad", "gone": "bad", "fencing": "busy", "doubted": "warn", "fenced": "held",
  "unknown": "warn", "missing": "warn", "paused": "warn", "suspended": "idle", "failed-while-held": "warn", "isolated": "warn",
  "held": "held",
};

export const toneOf = state => tones[state] ?? "idle";

// A coloured dot with its word; colour alone never tells.
export const state = (kind, value, tone = toneOf(value)) =>
  h("span", {class: `state ${tone}`}, h("span", {class: "dot", "aria-hidden": "true"}), word(kind, value));

export const badge = (text, tone = "idle", title = null) => h("span", {class: `badge ${tone}`, title}, text);

// A time that ages: in words, with the instant itself in its tooltip.
export const age = instant =>
  instant === null ? "–" : h("time", {datetime: instant, title: format.instant(instant)}, format.ago(instant));

export function features(list, {weightless = [], limit = Infinity, sign = ""} = {}) {
  const shown = list.slice(0, limit);
  return h("ul", {class: "chips"},
    shown.map(name => {
      const slash = name.indexOf("/");
      return h("li", {key: name, class: `chip${weightless.includes(name) ? " weightless" : ""}`, title: name},
        sign && h("span", {class: "sign", "aria-hidden": "true"}, sign),
        slash > 0 && h("span", {class: "kind"}, `${name.slice(0, slash)}/`), slash > 0 ? name.slice(slash + 1) : name);
    }),
    list.length > shown.length && h("li", {key: "more", class: "chip more"}, `+${format.number(list.length - shown.length)}`));
}

export const empty = (title, text = null) =>
  h("div", {class: "empty"}, h("p", {class: "empty-title"}, title), text && h("p", null, text));

// What stands in place of a document that is not there.
export function absent(source) {
  if (source.error === null)
    return h("div", {class: "loading"}, t("loading"));
  return failure(source.error);
}

// As things are, the daemon cannot say.
const CONFLICT = 409;

export const failure = error =>
  h("div", {class: `notice ${error.status === CONFLICT ? "warn" : "bad"}`}, told(error.message, "p"), error.hint && told(error.hint, "p", {class: "remedy"}));

export const section = (title, ...children) =>
  h("section", {class: "card"}, h("div", {class: "card-head"}, h("h2", null, title)), ...children);

export const facts = pairs =>
  h("dl", {class: "facts"}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== false)
    .map(([name, value]) => h("div", {key: name}, h("dt", null, name), h("dd", null, value))));

export function hold(held) {
  if (held === null)
    return null;
  return badge(held.evacuating ? t("hold.evacuating") : t("hold"), "held",
    [held.what, held.reason, held.until ? t("hold.until", {time: format.instant(held.until)}) : null].filter(Boolean).join(" · "));
}

export const select = (name, value, choices, onchange) =>
  h("label", {class: "field"}, h("span", {class: "field-name"}, name),
    h("select", {value, onchange: event => onchange(event.target.value)},
      choices.map(([choice, text]) => h("option", {key: choice, value: choice}, text))));

export const pageTitle = (title, ...aside) =>
  h("div", {class: "page-head"}, h("h1", {id: "title", tabindex: "-1"}, title), ...aside);

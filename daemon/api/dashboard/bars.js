// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores as bars against their limit. The numbers are the API's; nothing is worked out here.

import {h} from "./dom.js";
import {t} from "./i18n.js";
import * as format from "./format.js";

// One score of 0 … 1, or null where there was nothing to compare. limit: where the mark stands; null: no mark.
// The number is written beside the bar, so the bar itself is silent.
export function bar(kind, value, limit = null) {
  const isShort = value !== null && limit !== null && value < limit;
  return h("span", {class: `bar ${kind}${isShort ? " short" : ""}`},
    h("span", {class: "track", "aria-hidden": "true"},
      h("span", {class: "fill", style: {width: `${(value ?? 0) * 100}%`}}),
      limit !== null && h("span", {class: "limit", style: {left: `${limit * 100}%`}})),
    h("span", {class: "value"}, format.score(value)));
}

// Similarity, coverage and overlap of a candidate, each with its name.
export const scores = (candidate, threshold, minCoverage) =>
  h("dl", {class: "scores"}, [
    ["similarity", "S", candidate.similarity, threshold],
    ["coverage", "C", candidate.coverage, minCoverage],
    ["overlap", "J", candidate.overlap, null],
  ].map(([kind, letter, value, limit]) =>
    h("div", {key: kind},
      h("dt", null, h("span", {class: "letter", "aria-hidden": "true"}, letter), h("span", {class: "long"}, t(`score.${kind}`))),
      h("dd", null, bar(kind, value, limit)))));

// Parts of a whole, such as services by state: [[tone, count, text], …]. The text is written beside it.
export function shares(parts) {
  return h("span", {class: "shares", "aria-hidden": "true"},
    parts.filter(([, n]) => n > 0).map(([tone, n]) => h("span", {key: tone, class: tone, style: {"flex-grow": String(n)}})));
}

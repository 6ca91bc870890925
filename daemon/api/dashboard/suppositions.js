// SPDX-License-Identifier: LGPL-2.1-or-later
// What is supposed to be otherwise: sliders for threshold, coverage and weights. They stand in the query of the page, as the
// API takes them, so that a supposition can be sent on.

import {h} from "./dom.js";
import {t} from "./i18n.js";
import {replaceQuery} from "./router.js";
import * as format from "./format.js";

const SHARES = ["threshold", "min_coverage"];

// The part of a query that supposes something, as the API wants it; "" without.
export function suppositionOf(query) {
  const asked = new URLSearchParams();
  for (const [name, value] of query)
    if (SHARES.includes(name) || name === "weight" || name === "without")
      asked.append(name, value);
  return asked.toString();
}

function weightsOf(query) {
  return new Map(query.getAll("weight").map(text => {
    const at = text.lastIndexOf("=");
    return [text.slice(0, at), Number(text.slice(at + 1))];
  }));
}

// inForce: threshold, min_coverage and weights of the configuration; supposed: threshold and min_coverage as the API takes what
// is supposed, since one may follow from the other.
export function suppositions(query, inForce, supposed) {
  const weights = weightsOf(query);
  const largest = Math.max(1, ...Object.values(inForce.weights), ...weights.values());

  const suppose = change => {
    const changed = new URLSearchParams(query);
    change(changed);
    replaceQuery(changed);
  };
  const setShare = name => value => suppose(changed => value === null ? changed.delete(name) : changed.set(name, value));
  const setWeight = kind => value => suppose(changed => {
    const others = changed.getAll("weight").filter(text => text.slice(0, text.lastIndexOf("=")) !== kind);
    changed.delete("weight");
    for (const text of value === null ? others : [...others, `${kind}=${value}`])
      changed.append("weight", text);
  });
  const changes = suppositionOf(query) !== "";

  return h("div", {class: "suppositions"},
    SHARES.map(name => slider(name, t(`rule.${name}`), query.has(name) ? Number(query.get(name)) : supposed[name], inForce[name], 1, setShare(name))),
    h("h3", null, t("weights")),
    Object.entries(inForce.weights).map(([kind, weight]) =>
      slider(`weight-${kind}`, kind, weights.get(kind) ?? weight, weight, largest, setWeight(kind))),
    query.getAll("without").map(name =>
      h("p", {key: `without-${name}`, class: "without"}, t("whatif.without", {name}))),
    h("button", {type: "button", disabled: !changes, onclick: () => replaceQuery(new URLSearchParams())}, t("whatif.reset")));
}

function slider(name, text, value, inForce, max, set) {
  const isChanged = value !== inForce;
  const id = `suppose-${name}`;
  return h("div", {key: name, class: `slider${isChanged ? " changed" : ""}`},
    h("label", {for: id}, text),
    h("output", {for: id}, format.fraction(value),
      isChanged && h("s", {title: t("whatif.inforce")}, format.fraction(inForce))),
    h("input", {id, type: "range", min: "0", max: String(max), step: "0.01", value: String(value),
                style: {"--at": `${value / max * 100}%`, "--inforce": `${inForce / max * 100}%`},
                oninput: event => set(Number(event.target.value) === inForce ? null : event.target.value)}));
}

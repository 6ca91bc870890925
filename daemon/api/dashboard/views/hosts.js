// SPDX-License-Identifier: LGPL-2.1-or-later
// The hosts, and whether they are watched.

import {h} from "../dom.js";
import {count, t} from "../i18n.js";
import {get} from "../api.js";
import {shares} from "../bars.js";
import {link} from "../router.js";
import {absent, age, badge, empty, facts, failure, hold, pageTitle, state as stateOf, told} from "../parts.js";
import * as format from "../format.js";

export const needs = [];

export function open(changed) {
  return {forecasts: new Map(), changed};
}

// One after the other: each is worked out in a copy of the daemon.
async function forecastEach(hosts, {forecasts, changed}) {
  for (const host of hosts) {
    forecasts.set(host.name, await get(`/v1/plan?host=${encodeURIComponent(host.name)}`).catch(error => error));
    changed();
  }
}

const holdOf = (status, name) => status.holds.find(held => held.scope === "host" && held.what === name) ?? null;

export const hostState = host =>
  stateOf("hoststate", host.connected ? host.state ?? "reachable" : host.state === "reachable" || host.state === null ? "unknown" : host.state);

export function hostFacts(host) {
  return facts([
    ["URI", h("code", null, host.uri)],
    [t("nav.machines"), h("a", {href: link(["machines"], new URLSearchParams({host: host.name}))}, format.number(host.machines))],
    [t("host.memory"), host.free_memory_bytes > 0 && format.amount(host.free_memory_bytes)],
    [t("host.missing"), host.missing_since && age(host.missing_since)],
    [t("host.fenced"), host.fenced_at && [age(host.fenced_at), host.fenced_by_hand && ` (${t("host.byhand")})`]],
    [t("host.fencetrouble"), host.fence_trouble && told(host.fence_trouble)],
    [t("host.trouble"), host.trouble && told(host.trouble)],
    [t("host.sameas"), host.same_as],
  ]);
}

// How many services go on, and how many do not.
export const balance = ({recovered, down}) => [
  h("p", {class: "forecast-sum"}, h("b", {class: "good-text"}, format.number(recovered)), count("forecast.goeson", recovered), " ",
    h("b", {class: down > 0 ? "bad-text" : ""}, format.number(down)), count("forecast.down", down)),
  shares([["good", recovered], ["bad", down]]),
];

const outlook = forecast => forecast && (forecast instanceof Error ? failure(forecast) : h("div", {class: "outlook"}, balance(forecast)));

export function draw(state, route, answers) {
  const status = state.status.value;
  if (status === null)
    return [pageTitle(t("nav.hosts")), absent(state.status)];
  return [
    pageTitle(t("nav.hosts"), h("span", {class: "spring"}),
      h("button", {type: "button", onclick: () => forecastEach(status.hypervisors, answers)}, t("hosts.each"))),
    status.hypervisors.length === 0 ? empty(t("hosts.empty"))
      : h("ul", {class: "hosts"}, status.hypervisors.map(host =>
        h("li", {key: host.name, class: "card host"},
          h("div", {class: "card-head"}, h("h2", null, h("a", {class: "name", href: link(["hosts", host.name])}, host.name)),
            hostState(host), host.local && badge(t("host.local")), hold(holdOf(status, host.name))),
          hostFacts(host),
          outlook(answers.forecasts.get(host.name)),
          h("p", {class: "more"}, h("a", {class: "button", href: link(["hosts", host.name])}, t("host.whatif")))))),
  ];
}

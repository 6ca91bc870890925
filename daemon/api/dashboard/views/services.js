// SPDX-License-Identifier: LGPL-2.1-or-later
// Which machine serves each service, and which would take over: what needs attention first.

import {h} from "../dom.js";
import {count, t, word} from "../i18n.js";
import {icon} from "../icons.js";
import {link} from "../router.js";
import {isNarrow, windowedTable} from "../window.js";
import {bar, shares} from "../bars.js";
import {absent, age, empty, hold, hostLink, machineLink, pageTitle, recoveryLink, state as stateOf, told, toneOf} from "../parts.js";
import * as format from "../format.js";

export const needs = ["services", "plan", "recoveries"];

const order = ["down", "recovering", "unknown"];

const lacksNext = (service, planned) => service.state === "up" && service.next === null && !service.restarts_itself && planned?.next === null;

function urgency(service, planned) {
  const place = order.indexOf(service.state);
  if (place >= 0)
    return place;
  if (lacksNext(service, planned))
    return 3;
  if (service.diverted)
    return 4;
  return {held: 5, up: 6}[service.state] ?? 7;
}

function plannedByService(plan) {
  return new Map((plan?.services ?? []).map(service => [`${service.hypervisor}/${service.uuid}`, service]));
}

// A click on a tile leads to what it counts.
function tile(name, value, detail, {tone = null, href = null, below = null} = {}) {
  const content = [h("span", {class: "tile-name"}, name), h("span", {class: `tile-value${tone ? ` ${tone}` : ""}`}, value),
                   below, h("span", {class: "tile-detail"}, detail)];
  return href === null ? h("div", {key: name, class: "tile"}, content) : h("a", {key: name, class: "tile", href}, content);
}

function tiles(status, recoveries) {
  const {services, machines} = status;
  const states = ["up", "recovering", "down", "unknown", "held", "stopped"];
  const total = states.reduce((sum, name) => sum + services[name], 0);
  const last = recoveries?.find(recovery => !recovery.under_way);
  const severe = status.problems.filter(problem => problem.severity > 1).length;

  return h("div", {class: "tiles"},
    tile(t("tile.services"), [format.number(services.up), h("small", null, ` / ${format.number(total)}`)],
      states.filter(name => name !== "up" && services[name] > 0)
        .map(name => `${format.number(services[name])} ${word("service", name)}`).join(" · ") || t("tile.services.all"),
      {tone: services.down > 0 ? "bad" : services.recovering > 0 ? "busy" : null,
       below: shares(states.map(name => [toneOf(name), services[name]]))}),
    tile(t("tile.protection"), services.without_next === 0 ? t("tile.protection.all") : format.number(services.without_next),
      services.without_next === 0 ? t("tile.protection.all.detail") : t("tile.protection.detail"),
      {tone: services.without_next > 0 ? "warn" : "good", href: link(["what-if"])}),
    tile(t("tile.standby"), [format.number(machines.standing_by), h("small", null, ` / ${format.number(machines.standby)}`)],
      machines.warm > 0 ? t("tile.standby.warm", {n: format.number(machines.warm)})
        : t("tile.standby.detail", {n: format.number(machines.total)}),
      {href: link(["machines"], new URLSearchParams({role: "standby"}))}),
    tile(t("tile.recovery"), last ? format.span(last.outage_ms ?? last.duration_ms) : "–",
      last ? [word("outcome", last.outcome), " · ", age(last.ended_at)] : t("tile.recovery.none"),
      {tone: last && last.outcome !== "recovered" ? "warn" : null, href: link(["recoveries"])}),
    tile(t("tile.problems"), format.number(status.problems.length),
      severe > 0 ? count("tile.problems.severe", severe, format.number(severe)) : t(status.problems.length ? "tile.problems.mild" : "tile.problems.none"),
      {tone: severe > 0 ? "bad" : status.problems.length > 0 ? "warn" : "good"}));
}

// On a telephone, the services below them are to be seen as well.
const problemsShown = () => isNarrow() ? 1 : 3;

function problem(item) {
  return h("li", {key: `${item.kind} ${item.subject} ${item.since}`, class: `problem ${item.severity > 1 ? "bad" : "warn"}`},
    h("span", {class: "problem-icon"}, icon("warning")),
    h("div", null,
      h("p", {class: "problem-head"}, h("strong", null, word("problem", item.kind)), told(item.text), age(item.since)),
      item.remedy && told(item.remedy, "p", {class: "remedy"})));
}

function problems(list) {
  if (list.length === 0)
    return null;
  const shown = problemsShown(), rest = list.slice(shown);
  return h("section", {class: "problems"},
    h("h2", {class: "visually-hidden"}, t("tile.problems")),
    h("ul", null, list.slice(0, shown).map(problem)),
    rest.length > 0 && h("details", null,
      h("summary", null, count("problems.more", rest.length, format.number(rest.length))), h("ul", null, rest.map(problem))));
}

function served(service) {
  if (!service.diverted)
    return h("span", {class: "muted"}, t("service.itself"));
  return h("span", {class: "stack"},
    h("span", null, icon("swap", 16), " ", machineLink(service.served_by.name), h("span", {class: "at"}, " @ "), hostLink(service.served_by.hypervisor)),
    h("span", {class: "sub"}, t("service.since"), " ", age(service.since),
      service.recovery && [" · ", recoveryLink(service.recovery, t("service.recovery"))]));
}

function next(service, planned) {
  if (service.next !== null)
    return h("span", {class: "stack"},
      h("span", null, machineLink(service.next.name), h("span", {class: "at"}, " @ "), hostLink(service.next.hypervisor)),
      h("span", {class: "sub"}, planned?.next ? word("warmth", planned.next.warmth) : "",
        service.shared_by > 1 && [planned?.next ? " · " : "", t("service.shared", {n: format.number(service.shared_by)})]));
  if (service.restarts_itself)
    return h("span", {class: "muted"}, t("service.restarts"));
  if (service.state !== "up")
    return h("span", {class: "muted"}, "–");
  return h("span", {class: "stack"},
    h("a", {class: "warn-text", href: link(["machines", service.served_by.name])}, t("service.none")),
    planned?.nearest && h("span", {class: "sub", title: planned.why}, t("service.nearest", {name: planned.nearest.name})));
}

const head = () => [
  h("th", {scope: "col", class: "w-22"}, t("column.service")),
  h("th", {scope: "col", class: "w-12 hide-narrow"}, t("column.state")),
  h("th", {scope: "col", class: "w-24"}, t("column.served")),
  h("th", {scope: "col", class: "w-24"}, t("column.next")),
  h("th", {scope: "col", class: "w-14 hide-medium"}, t("column.overlap")),
  h("th", {scope: "col", class: "w-14 hide-medium"}, t("column.rehearsed")),
];

function row(service, planned) {
  return [
    h("th", {scope: "row"}, h("span", {class: "stack"},
      h("span", null, h("span", {class: `dot only-narrow ${toneOf(service.state)}`, "aria-hidden": "true"}),
        h("a", {class: "name", href: link(["machines", service.original])}, service.name), hold(service.hold)),
      h("span", {class: "sub"}, service.hypervisor, service.priority !== 0 && ` · ${t("priority", {n: format.number(service.priority)})}`))),
    h("td", {class: "hide-narrow"}, stateOf("service", service.state)),
    h("td", null, served(service)),
    h("td", null, next(service, planned)),
    h("td", {class: "hide-medium"}, service.next === null ? "" : bar("overlap", service.next.overlap)),
    h("td", {class: "hide-medium"}, planned?.rehearsed
      ? h("span", {class: "stack"}, recoveryLink(planned.rehearsed.recovery, age(planned.rehearsed.at)),
        h("span", {class: "sub"}, format.span(planned.rehearsed.outage_ms ?? planned.rehearsed.duration_ms)))
      : h("span", {class: "muted"}, t("never"))),
  ];
}

export function draw(state) {
  const services = state.services.value?.sorted;
  const planned = plannedByService(state.plan.value);
  const keyOf = service => `${service.hypervisor}/${service.uuid}`;
  const status = state.status.value;
  const ranked = services && [...services].map(service => [urgency(service, planned.get(keyOf(service))), service])
    .sort(([a], [b]) => a - b).map(([, service]) => service);

  return [
    pageTitle(t("nav.services")),
    status && tiles(status, state.recoveries.value?.sorted),
    status && problems(status.problems),
    !ranked ? absent(state.services)
      : ranked.length === 0 ? empty(t("services.empty"), t("services.empty.text"))
        : h("section", {class: "card flush"},
          h("h2", {class: "visually-hidden"}, t("nav.services")),
          windowedTable({id: "services", label: t("nav.services"), rows: ranked, key: keyOf, head: head(), height: [54, 96],
                         row: service => row(service, planned.get(keyOf(service)))})),
  ];
}

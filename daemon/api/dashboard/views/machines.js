// SPDX-License-Identifier: LGPL-2.1-or-later
// All machines, filtered. What is filtered stands in the query of the page.

import {h} from "../dom.js";
import {currentLanguage, t, word} from "../i18n.js";
import {replaceQuery} from "../router.js";
import {windowedTable} from "../window.js";
import {absent, badge, empty, features, hold, hostLink, machineLink, pageTitle, select, state as stateOf, toneOf} from "../parts.js";
import * as format from "../format.js";

export const needs = ["machines"];

const STATES = ["running", "shut off", "paused", "crashed", "suspended", "stopping", "unknown", "gone", "template"];
const ROLES = ["protected", "standby", "ignored", "unreadable", "none"];

const has = (machine, role) => role === "none" ? machine.roles.length === 0 : machine.roles.includes(role);

function matches(machine, {text, state, role, host}) {
  return (state === "" || machine.state === state) && (role === "" || has(machine, role)) && (host === "" || machine.hypervisor === host) &&
    (text === "" || machine.name.toLowerCase().includes(text) || machine.features.some(feature => feature.includes(text)) ||
     machine.uuid.startsWith(text) || machine.serves?.toLowerCase().includes(text));
}

// Filtering ten thousand machines is not done for each row that scrolls by.
let last = {all: null, asked: "", found: []};

function filtered(all, filter) {
  const asked = JSON.stringify(filter);
  if (last.all !== all || last.asked !== asked)
    last = {all, asked, found: all.filter(machine => matches(machine, filter))};
  return last.found;
}

function setFilter(query, name, value) {
  const changed = new URLSearchParams(query);
  if (value === "")
    changed.delete(name);
  else
    changed.set(name, value);
  window.scrollTo(0, 0);
  replaceQuery(changed);
}

function filters(query, hosts, found, all) {
  const choices = (kind, values) => [["", t("filter.any")], ...values.map(value => [value, word(kind, value)])];
  return h("div", {class: "filters", role: "search"},
    h("label", {class: "field grow"}, h("span", {class: "field-name"}, t("filter.text")),
      h("input", {type: "search", value: query.get("q") ?? "", placeholder: t("filter.placeholder"), autocomplete: "off", spellcheck: "false",
                  oninput: event => setFilter(query, "q", event.target.value)})),
    select(t("column.host"), query.get("host") ?? "", [["", t("filter.any")], ...hosts.map(host => [host, host])],
      value => setFilter(query, "host", value)),
    select(t("column.state"), query.get("state") ?? "", choices("machine", STATES), value => setFilter(query, "state", value)),
    select(t("column.role"), query.get("role") ?? "", choices("role", ROLES), value => setFilter(query, "role", value)),
    h("p", {class: "found", role: "status"}, t("filter.found", {n: format.number(found), all: format.number(all)})));
}

// What it does for services now.
function part(machine) {
  if (machine.serves !== null)
    return h("span", {class: "good-text"}, t("machine.serves", {name: machine.serves}));
  if (machine.served_by !== null)
    return h("span", {class: "warn-text"}, t("machine.servedby", {name: machine.served_by.name}));
  if (machine.planned_for !== null)
    return h("span", null, machine.planned_for_count > 1
      ? t("machine.nextfor.more", {name: machine.planned_for, n: format.number(machine.planned_for_count - 1)})
      : t("machine.nextfor", {name: machine.planned_for}));
  return h("span", {class: "muted"}, "–");
}

export const roles = machine => machine.roles.map(role => badge(word("role", role), role));

const head = () => [
  h("th", {scope: "col", class: "w-16"}, t("column.machine")),
  h("th", {scope: "col", class: "w-8 hide-narrow"}, t("column.host")),
  h("th", {scope: "col", class: "w-12 hide-narrow"}, t("column.state")),
  h("th", {scope: "col", class: "w-15 hide-narrow"}, t("column.role")),
  h("th", {scope: "col", class: "w-16"}, t("column.part")),
  h("th", {scope: "col", class: "w-8 number hide-medium"}, t("column.size")),
  h("th", {scope: "col", class: "hide-medium"}, t("column.features")),
];

const cells = machine => [
  h("th", {scope: "row"}, h("span", {class: "stack"},
    h("span", null, h("span", {class: `dot only-narrow ${toneOf(machine.state)}`, "aria-hidden": "true"}), machineLink(machine.name), hold(machine.hold)),
    h("span", {class: "sub only-narrow"}, [word("machine", machine.state), machine.hypervisor].join(" · ")),
    h("span", {class: "sub only-narrow"}, machine.roles.map(role => word("role", role)).join(" · ")))),
  h("td", {class: "hide-narrow"}, hostLink(machine.hypervisor)),
  h("td", {class: "hide-narrow"}, stateOf("machine", machine.state),
    machine.warmth !== null && !["cold", "template"].includes(machine.warmth) && badge(word("warmth", machine.warmth), "warm")),
  h("td", {class: "hide-narrow"}, machine.roles.length > 0 ? roles(machine) : h("span", {class: "muted"}, "–")),
  h("td", null, part(machine)),
  h("td", {class: "number hide-medium"}, `${format.number(machine.environment.cpu)} · ${format.amount(machine.environment.memory_bytes)}`),
  h("td", {class: "hide-medium"}, h("span", {class: "stack"}, features(machine.features, {limit: 5}),
    h("span", {class: "sub"}, [...new Set(Object.values(machine.sources))].map(source => word("source", source)).join(" · ")))),
];

// While they scroll by, rows are made once. A machine that changes is another object.
let made = new WeakMap(), madeIn = null;

function row(machine) {
  if (madeIn !== currentLanguage()) {
    madeIn = currentLanguage();
    made = new WeakMap();
  }
  if (!made.has(machine))
    made.set(machine, cells(machine));
  return made.get(machine);
}

export function draw(state, {query}) {
  if (state.machines.value === null)
    return [pageTitle(t("nav.machines")), absent(state.machines)];
  const all = state.machines.value.sorted;
  const hosts = (state.status.value?.hypervisors ?? []).map(host => host.name);
  const found = filtered(all, {text: (query.get("q") ?? "").trim().toLowerCase(), state: query.get("state") ?? "",
                               role: query.get("role") ?? "", host: query.get("host") ?? ""});
  return [
    pageTitle(t("nav.machines")),
    filters(query, hosts, found.length, all.length),
    found.length === 0 ? empty(t("machines.empty"), all.length === 0 ? t("machines.empty.text") : t("machines.empty.filter"))
      : h("section", {class: "card flush"},
        h("h2", {class: "visually-hidden"}, t("nav.machines")),
        windowedTable({id: "machines", label: t("nav.machines"), rows: found, head: head(), row, height: [52, 76],
                       key: machine => `${machine.hypervisor}/${machine.uuid}`})),
  ];
}

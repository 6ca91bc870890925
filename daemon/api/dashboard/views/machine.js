// SPDX-License-Identifier: LGPL-2.1-or-later
// One machine: what is known of it and from where, which machine would take over from it and why, and what if.

import {h} from "../dom.js";
import {t, word} from "../i18n.js";
import {icon} from "../icons.js";
import {link} from "../router.js";
import {Answer} from "../answers.js";
import {machinePath} from "../api.js";
import {candidates} from "../candidates.js";
import {suppositionOf, suppositions} from "../suppositions.js";
import {absent, age, badge, facts, failure, features, hold, hostLink, machineLink, pageTitle, section, state as stateOf, told} from "../parts.js";
import {roles} from "./machines.js";
import * as format from "../format.js";

export const needs = ["plan"];

const SHOWN = 20;
const MORE = 200;

export function open(changed) {
  return {machine: new Answer(changed), explanation: new Answer(changed)};
}

function known(machine) {
  const kinds = new Map();
  for (const feature of machine.features) {
    const kind = feature.slice(0, feature.indexOf("/"));
    kinds.set(kind, [...kinds.get(kind) ?? [], feature]);
  }
  if (kinds.size === 0)
    return h("p", {class: "muted"}, t("machine.nofeatures"));
  return h("table", {class: "plain"},
    h("thead", null, h("tr", null, h("th", {scope: "col"}, t("column.kind")), h("th", {scope: "col"}, t("column.features")), h("th", {scope: "col"}, t("column.source")))),
    h("tbody", null, [...kinds].map(([kind, list]) =>
      h("tr", {key: kind}, h("th", {scope: "row"}, kind), h("td", null, features(list, {weightless: machine.weightless})),
        h("td", {class: "muted"}, word("source", machine.sources[kind] ?? "–"))))));
}

function about(machine) {
  const {environment, agent} = machine;
  return section(t("machine.about"),
    facts([
      [t("column.host"), hostLink(machine.hypervisor)],
      [t("machine.cpu"), format.number(environment.cpu)],
      [t("machine.memory"), format.amount(environment.memory_bytes)],
      [t("machine.disk"), format.amount(environment.disk_bytes)],
      [t("column.priority"), machine.priority !== 0 && format.number(machine.priority)],
      [t("column.warmth"), machine.warmth && word("warmth", machine.warmth)],
      [t("machine.warmproof"), machine.warm_proof && word("warmproof", machine.warm_proof)],
      [t("machine.notwarm"), machine.not_warm && told(machine.not_warm)],
      [t("machine.servesfor"), machine.serves],
      [t("machine.isservedby"), machine.served_by && machineLink(machine.served_by.name)],
      [t("machine.isnextfor"), machine.planned_for && (machine.planned_for_count > 1
        ? t("machine.andmore", {name: machine.planned_for, n: format.number(machine.planned_for_count - 1)}) : machine.planned_for)],
      [t("machine.claimed"), machine.claimed_by],
      [t("machine.quarantine"), machine.quarantine_why && told(machine.quarantine_why)],
      [t("machine.agent"), agent.connected ? t("machine.agent.connected") : agent.channel ? t("machine.agent.silent") : t("machine.agent.none")],
      [t("machine.learned"), agent.learned && age(agent.learned)],
      [t("machine.lacks"), agent.lacks && told(agent.lacks)],
      ["UUID", h("code", null, machine.uuid)],
    ]));
}

function devices(machine) {
  if (machine.disks.length === 0 && machine.macs.length === 0 && machine.hostdevs.length === 0)
    return null;
  return section(t("machine.devices"),
    facts([
      ...machine.disks.map(disk => [disk.target, [h("code", null, disk.source ?? "–"), " ", format.amount(disk.capacity_bytes),
        disk.shareable && badge(t("disk.shareable")), !disk.writable && badge(t("disk.readonly")), disk.backing_file && badge(t("disk.backing"))]]),
      ...machine.macs.map(mac => ["MAC", h("code", null, mac)]),
      ...machine.hostdevs.map(device => [t("machine.hostdev"), h("code", null, device)]),
    ]));
}

// The sentence of Figure 2: who takes over from whom.
function outcome(explanation) {
  return h("div", {class: `outcome${explanation.chosen === null ? " none" : ""}`},
    h("span", {class: "machine-box"}, h("small", null, t("candidate.fails")), explanation.failed),
    h("span", {class: "outcome-arrow"}, icon("arrow", 26)),
    explanation.chosen === null
      ? h("span", {class: "machine-box none"}, h("small", null, t("candidate.takesover")), t("service.none"))
      : h("span", {class: "machine-box chosen"}, h("small", null, t("candidate.takesover")), explanation.chosen),
    told(explanation.summary, "p", {class: "summary"}),
    explanation.obstacle && told(explanation.obstacle, "p", {class: "obstacle"}),
    explanation.policy && told(explanation.policy, "p", {class: "policy"}));
}

function decision(explanation, isOld, {path, query}) {
  const all = new URLSearchParams(query);
  all.set("all", "1");
  return section(t("candidates"),
    h("div", {class: isOld ? "old" : ""},
      outcome(explanation),
      h("p", {class: "limits"},
        h("span", {class: "limit-key"}, t("rule.threshold"), " ", h("b", null, format.fraction(explanation.threshold))),
        h("span", {class: "limit-key"}, t("rule.min_coverage"), " ", h("b", null, format.fraction(explanation.min_coverage))),
        h("span", {class: "limit-key"}, t("rule.rank_by"), " ", h("b", null, t(`score.${explanation.rank_by}`)))),
      candidates(explanation, {threshold: explanation.threshold, minCoverage: explanation.min_coverage, chosen: explanation.chosen}),
      explanation.left_out > 0 && !query.has("all") && h("p", {class: "more"}, h("a", {href: link(path, all)}, t("candidate.more")))));
}

export function draw(state, {path, query}, answers) {
  const name = path[1];
  const supposition = suppositionOf(query);
  const machine = answers.machine.ask(machinePath(name), name, state.generation);
  const explanation = answers.explanation.ask(
    machinePath(name, `/explain?limit=${query.has("all") ? MORE : SHOWN}${supposition ? `&${supposition}` : ""}`), name,
    supposition ? state.planGeneration : state.generation);
  const shown = machine.value;
  const rules = state.plan.value?.rules;

  return [
    h("nav", {class: "crumbs", "aria-label": t("crumbs")}, h("a", {href: link(["machines"])}, t("nav.machines"))),
    pageTitle(name, shown && [stateOf("machine", shown.state), roles(shown), hold(shown.hold)]),
    shown === null && (machine.error ? failure(machine.error) : absent(machine)),
    shown && h("div", {class: "columns"},
      h("div", {class: "column-main"},
        explanation.error && failure(explanation.error),
        explanation.value ? decision(explanation.value, !explanation.isCurrent, {path, query}) : !explanation.error && absent(explanation)),
      h("div", {class: "column-side"},
        rules && h("section", {class: `card whatif${supposition ? " active" : ""}`},
          h("div", {class: "card-head"}, h("h2", null, icon("whatif"), " ", t("nav.whatif"))),
          h("p", {class: "hint"}, t("whatif.changesnothing")), suppositions(query, rules, supposition && explanation.value ? explanation.value : rules)),
        about(shown),
        section(t("column.features"), known(shown)),
        devices(shown))),
  ];
}

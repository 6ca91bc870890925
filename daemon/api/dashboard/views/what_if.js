// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan under other limits and weights, beside the plan that is in force. Nothing changes.

import {h} from "../dom.js";
import {t} from "../i18n.js";
import {icon} from "../icons.js";
import {link} from "../router.js";
import {Answer} from "../answers.js";
import {bar} from "../bars.js";
import {suppositionOf, suppositions} from "../suppositions.js";
import {absent, badge, failure, machineLink, pageTitle} from "../parts.js";
import {windowedTable} from "../window.js";
import * as format from "../format.js";

export const needs = ["plan"];

export function open(changed) {
  return {plan: new Answer(changed)};
}

const keyOf = service => `${service.hypervisor}/${service.uuid}`;

function change(before, after) {
  if (!before || before.next?.uuid === after.next?.uuid)
    return before?.next?.overlap === after.next?.overlap ? "same" : "score";
  return before.next === null ? "gained" : after.next === null ? "lost" : "other";
}

const tone = {gained: "good", lost: "bad", other: "info", score: "idle"};
const urgency = ["lost", "other", "gained", "score", "same"];

const head = () => [
  h("th", {scope: "col", class: "w-22"}, t("column.service")),
  h("th", {scope: "col", class: "w-24"}, t("column.now")),
  h("th", {scope: "col", class: "w-24"}, t("column.then")),
  h("th", {scope: "col", class: "hide-narrow"}, t("column.overlap")),
];

const next = planned => planned?.next ? machineLink(planned.next.name) : h("span", {class: "muted"}, planned?.state === "up" ? t("service.none") : "–");

const row = ([what, before, after]) => [
  h("th", {scope: "row"}, h("span", {class: "stack"}, h("span", null, h("a", {class: "name", href: link(["machines", after.served_by.name])}, after.name),
    what !== "same" && [" ", badge(t(`change.${what}`), tone[what])]),
    after.diverted && h("span", {class: "sub"}, t("machine.servedby", {name: after.served_by.name})))),
  h("td", null, next(before)),
  h("td", null, h("span", {class: "stack"}, next(after))),
  h("td", {class: "hide-narrow"}, after.next ? bar("overlap", after.next.overlap) : ""),
];

// [what has changed, as planned now, as planned then], the most important first.
function compare(before, after) {
  const known = new Map(before.services.map(service => [keyOf(service), service]));
  return after.services.map(service => [change(known.get(keyOf(service)), service), known.get(keyOf(service)), service])
    .sort(([a], [b]) => urgency.indexOf(a) - urgency.indexOf(b));
}

function counts(rows) {
  const n = (...kinds) => format.number(rows.filter(([what]) => kinds.includes(what)).length);
  return h("p", {class: "limits", role: "status"}, [["lost", n("lost")], ["other", n("other")], ["gained", n("gained")], ["same", n("same", "score")]]
    .map(([what, number]) => h("span", {key: what, class: "limit-key"}, t(`change.${what}`), " ", h("b", null, number))));
}

export function draw(state, {query}, answers) {
  const plan = state.plan.value;
  const supposition = suppositionOf(query);
  if (plan === null)
    return [pageTitle(t("nav.whatif")), absent(state.plan)];
  const answer = supposition ? answers.plan.ask(`/v1/plan?${supposition}`, "plan", state.planGeneration) : null;
  const then = answer ? answer.value ?? plan : plan;
  const rows = compare(plan, then);
  return [
    pageTitle(t("nav.whatif")),
    h("p", {class: "lead"}, t("whatif.lead")),
    h("div", {class: "columns"},
      h("div", {class: "column-main"},
        answer?.error && failure(answer.error),
        h("section", {class: `card flush${answer && !answer.isCurrent ? " old" : ""}`},
          h("div", {class: "card-head"}, h("h2", null, t("plan")), supposition && badge(t("whatif.supposed"), "info")),
          windowedTable({id: "plan", label: t("plan"), rows, row, key: ([, , service]) => keyOf(service), head: head(), height: [54, 72]}))),
      h("div", {class: "column-side first-narrow sticky"},
        h("section", {class: `card whatif${supposition ? " active" : ""}`},
          h("div", {class: "card-head"}, h("h2", null, icon("whatif"), " ", t("whatif.suppose"))),
          h("p", {class: "hint"}, t("whatif.changesnothing")),
          supposition && counts(rows),
          suppositions(query, plan.rules, then.rules)))),
  ];
}

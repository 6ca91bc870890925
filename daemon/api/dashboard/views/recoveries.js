// SPDX-License-Identifier: LGPL-2.1-or-later
// Recoveries: those under way with their steps, live, and the latest that have ended.

import {h} from "../dom.js";
import {t, word} from "../i18n.js";
import {icon} from "../icons.js";
import {link} from "../router.js";
import {runningFor_ms} from "../state.js";
import {strip, timeline} from "../timeline.js";
import {absent, age, badge, empty, machineLink, pageTitle, recoveryLink, section, state as stateOf, told} from "../parts.js";
import * as format from "../format.js";

export const needs = ["recoveries"];

const SHOWN = 15;

// "VM-001 → VM-005"
export const way = recovery =>
  h("span", {class: "way"}, machineLink(recovery.failed), icon("arrow", 16),
    recovery.replacement !== null ? machineLink(recovery.replacement) : h("span", {class: "muted"}, recovery.under_way ? "…" : t("service.none")));

// What was done on purpose.
export function kind(recovery) {
  const isOrdered = ["failover", "failback"].includes(recovery.cause);
  return recovery.is_drill || recovery.is_rehearsal ? badge(t(recovery.is_rehearsal ? "recovery.rehearsal" : "recovery.drill"), "info")
    : isOrdered ? badge(word("cause", recovery.cause), "info") : null;
}

function live(recovery) {
  return h("section", {key: recovery.id, class: "card live"},
    h("div", {class: "card-head"}, h("h2", null, way(recovery)), h("span", {class: "state busy"}, h("span", {class: "dot"}), word("outcome", recovery.outcome)), kind(recovery),
      h("span", {class: "clock"}, format.span(runningFor_ms(recovery)))),
    told(recovery.detail ?? recovery.cause_text, "p", {class: "hint"}),
    timeline(recovery),
    h("p", {class: "more"}, recoveryLink(recovery.id, t("recovery.more"))));
}

export const row = recovery =>
  h("tr", {key: recovery.id},
    h("th", {scope: "row"}, h("span", {class: "stack"}, way(recovery), h("span", {class: "sub"}, word("cause", recovery.cause), " ", kind(recovery)))),
    h("td", null, stateOf("outcome", recovery.outcome)),
    h("td", {class: "number"}, format.span(recovery.outage_ms ?? recovery.duration_ms)),
    h("td", {class: "hide-medium w-strip"}, strip(recovery)),
    h("td", {class: "hide-narrow"}, h("span", {class: "stack"}, recoveryLink(recovery.id, format.instant(recovery.detected_at)), h("span", {class: "sub"}, age(recovery.detected_at)))));

export const head = () =>
  h("thead", null, h("tr", null,
    h("th", {scope: "col"}, t("column.recovery")), h("th", {scope: "col"}, t("column.outcome")), h("th", {scope: "col", class: "number"}, t("column.outage")),
    h("th", {scope: "col", class: "hide-medium w-strip"}, t("column.steps")), h("th", {scope: "col", class: "hide-narrow"}, t("column.detected"))));

function told_lately(notices) {
  return section(t("notices"), h("ul", {class: "notices"}, notices.slice(0, 12).map((notice, i) =>
    h("li", {key: `${notice.at} ${i}`}, h("time", {datetime: notice.at}, format.clock(notice.at)), told(notice.text)))));
}

export function draw(state) {
  const all = state.recoveries.value?.sorted;
  if (!all)
    return [pageTitle(t("nav.recoveries")), absent(state.recoveries)];
  const underWay = all.filter(recovery => recovery.under_way);
  const ended = all.filter(recovery => !recovery.under_way).slice(0, SHOWN);
  return [
    pageTitle(t("nav.recoveries"), underWay.length > 0 && badge(t("recovery.underway", {n: format.number(underWay.length)}), "busy")),
    underWay.length === 0 && h("p", {class: "calm"}, icon("check"), t("recovery.none")),
    underWay.length > 0 && h("div", {class: "under-way"}, underWay.map(live)),
    state.notices.length > 0 && told_lately(state.notices),
    ended.length === 0 ? empty(t("recovery.noneever"))
      : h("section", {class: "card flush"},
        h("div", {class: "card-head"}, h("h2", null, t("recovery.latest")), h("a", {href: link(["history"])}, t("nav.history"))),
        h("table", {class: "list"}, head(), h("tbody", null, ended.map(row)))),
  ];
}

export const isMoving = state => (state.recoveries.value?.sorted ?? []).some(recovery => recovery.under_way);

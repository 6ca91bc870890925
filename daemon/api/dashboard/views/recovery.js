// SPDX-License-Identifier: LGPL-2.1-or-later
// All of one recovery: its steps in time, what was tried, and the decision as it was taken then.

import {h} from "../dom.js";
import {t, word} from "../i18n.js";
import {link} from "../router.js";
import {Answer} from "../answers.js";
import {candidates} from "../candidates.js";
import {strip, timeline} from "../timeline.js";
import {absent, facts, failure, hostLink, pageTitle, section, state as stateOf, told} from "../parts.js";
import {kind, way} from "./recoveries.js";
import * as format from "../format.js";

export const needs = ["recoveries"];

export function open(changed) {
  return {recovery: new Answer(changed)};
}

function attempts(recovery) {
  if (!recovery.attempts.some(attempt => attempt.error !== null))
    return null;
  return section(t("recovery.attempts"), h("ol", {class: "attempts"}, recovery.attempts.map((attempt, i) =>
    h("li", {key: String(i)}, h("b", null, attempt.name), " @ ", attempt.hypervisor, attempt.error && [": ", told(attempt.error)]))));
}

export function draw(state, {path}, answers) {
  const id = path[1];
  const listed = state.recoveries.value?.sorted.find(recovery => recovery.id === id);
  const answer = answers.recovery.ask(`/v1/recoveries/${encodeURIComponent(id)}`, id, listed?.under_way ? state.generation : 0);
  const recovery = listed?.under_way ? listed : answer.value ?? listed;
  if (!recovery)
    return [pageTitle(id), answer.error ? failure(answer.error) : absent(answer)];
  return [
    h("nav", {class: "crumbs", "aria-label": t("crumbs")}, h("a", {href: link(["recoveries"])}, t("nav.recoveries"))),
    pageTitle(way(recovery), stateOf("outcome", recovery.outcome), kind(recovery)),
    h("div", {class: "columns"},
      h("div", {class: "column-main"},
        section(t("timeline"), strip(recovery), timeline(recovery)),
        attempts(recovery),
        recovery.candidates.length > 0 && section(t("recovery.decision"), candidates(recovery, {chosen: recovery.replacement}))),
      h("div", {class: "column-side"},
        section(t("recovery.about"), facts([
          [t("recovery.id"), h("code", null, recovery.id)],
          [t("column.cause"), word("cause", recovery.cause)],
          [t("column.service"), recovery.service?.name],
          [t("column.host"), hostLink(recovery.hypervisor)],
          [t("recovery.failed"), format.instant(recovery.failed_at ?? recovery.detected_at)],
          [t("column.outage"), format.span(recovery.outage_ms)],
          [t("recovery.duration"), format.span(recovery.duration_ms)],
          [t("column.overlap"), recovery.overlap !== null && format.score(recovery.overlap)],
          [t("recovery.verified"), recovery.verify && word("verify", recovery.verify)],
          [t("recovery.orderedby"), recovery.ordered_by],
          [t("recovery.detail"), recovery.detail && told(recovery.detail)],
        ])))),
  ];
}

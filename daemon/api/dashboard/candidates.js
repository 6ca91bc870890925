// SPDX-License-Identifier: LGPL-2.1-or-later
// The candidates of a decision, in their order: scores, what is missing and surplus, and why each won or lost.

import {h} from "./dom.js";
import {t, word} from "./i18n.js";
import {scores} from "./bars.js";
import {badge, features, hostLink, machineLink, told} from "./parts.js";
import * as format from "./format.js";

function differences(candidate) {
  const {missing, surplus} = candidate;
  if (missing.length === 0 && surplus.length === 0)
    return h("p", {class: "same"}, t("candidate.same"));
  return h("dl", {class: "differences"},
    missing.length > 0 && h("div", {key: "missing", class: "missing"}, h("dt", null, t("candidate.missing")), h("dd", null, features(missing, {sign: "−"}))),
    surplus.length > 0 && h("div", {key: "surplus", class: "surplus"}, h("dt", null, t("candidate.surplus")), h("dd", null, features(surplus, {sign: "+"}))));
}

function verdict(candidate, isChosen) {
  return isChosen ? badge(t("candidate.chosen"), "chosen") : candidate.eligible ? badge(t("candidate.eligible"), "good") : badge(t("candidate.out"), "idle");
}

// decision: an explanation or a recovery; threshold, minCoverage: null where they are not known.
export function candidates(decision, {threshold = null, minCoverage = null, chosen = null}) {
  let place = 0;
  return [
    h("ol", {class: "candidates", "aria-label": t("candidates")}, decision.candidates.map(candidate => {
      const isChosen = candidate.eligible && (chosen === null ? place === 0 : candidate.name === chosen);
      const rank = candidate.eligible ? ++place : null;
      return h("li", {key: `${candidate.hypervisor}/${candidate.uuid}`, class: `candidate${isChosen ? " chosen" : candidate.eligible ? "" : " out"}`},
        h("div", {class: "candidate-who"},
          h("span", {class: "rank", "aria-hidden": "true"}, rank ?? "–"),
          h("span", {class: "stack"},
            h("h3", null, machineLink(candidate.name), verdict(candidate, isChosen)),
            h("span", {class: "sub"}, hostLink(candidate.hypervisor), ` · ${word("machine", candidate.state)}`, !["cold", "template"].includes(candidate.warmth) && candidate.state !== "running" && ` · ${word("warmth", candidate.warmth)}`))),
        scores(candidate, threshold, minCoverage),
        h("div", {class: "candidate-why"}, told(candidate.reason, "p", {class: "reason"}), differences(candidate)));
    })),
    decision.left_out > 0 && h("p", {class: "left-out"}, t("candidate.leftout", {n: format.number(decision.left_out)}), " ",
      Object.entries(decision.left_out_by_reason).map(([reason, n]) => `${word("verdict", reason)}: ${format.number(n)}`).join(" · ")),
  ];
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of a recovery in time. Each step ends at an instant that the API tells, and took as long as it tells.

import {h} from "./dom.js";
import {t, word} from "./i18n.js";
import {icon} from "./icons.js";
import * as format from "./format.js";

// Name, where it ends, and during which states it is under way.
const STEPS = [
  ["confirm", "confirmed_at", ["detected", "confirming", "destroying"]],
  ["decide", "decided_at", ["selecting", "waiting"]],
  ["record", "recorded_at", ["recording"]],
  ["start", "started_at", ["preparing", "starting", "resolving", "stopping", "leaving", "relieving"]],
  ["settle", "settled_at", ["settling"]],
  ["verify", "ended_at", ["verifying", "announcing", "ending"]],
];

function steps(recovery) {
  const times = recovery.times_ms;
  return STEPS.map(([name, ending, states]) => {
    const isNow = recovery.under_way && states.includes(recovery.outcome);
    return {name, at: recovery[ending], took: times[name], isNow, isDone: !isNow && times[name] !== null};
  });
}

// Where the time went, as parts of a bar: short steps keep a visible width.
export function strip(recovery) {
  const done = steps(recovery).filter(step => step.isDone || step.isNow);
  return h("span", {class: "strip", "aria-hidden": "true"},
    done.map(step =>
      h("span", {key: step.name, class: `step-${step.name}${step.isNow ? " now" : ""}`, title: `${t(`step.${step.name}`)} ${format.span(step.took)}`,
                 style: {"flex-grow": String(Math.max(step.took ?? 0, recovery.duration_ms / 200))}})));
}

export const timeline = recovery =>
  h("ol", {class: "timeline", "aria-label": t("timeline")},
    h("li", {key: "detect", class: "done"},
      h("span", {class: "point"}, icon("warning", 14)),
      h("span", {class: "what"}, t("step.detect")),
      h("span", {class: "took"}, ""),
      h("time", {class: "when", datetime: recovery.detected_at}, format.clockMs(recovery.detected_at))),
    steps(recovery).map(step =>
      h("li", {key: step.name, class: `${step.isDone ? "done" : step.isNow ? "now" : "open"} step-${step.name}`,
               "aria-current": step.isNow && "step"},
        h("span", {class: "point"}, step.isDone && icon("check", 14)),
        h("span", {class: "what"}, t(`step.${step.name}`), step.isNow && [" ", h("em", null, word("outcome", recovery.outcome))]),
        h("span", {class: "took"}, step.isDone ? format.span(step.took) : ""),
        step.isDone && step.at ? h("time", {class: "when", datetime: step.at}, format.clockMs(step.at)) : h("span", {class: "when"}, ""))));

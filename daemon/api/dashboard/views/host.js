// SPDX-License-Identifier: LGPL-2.1-or-later
// One host, and what becomes of its services if it dies now. The daemon works that out; nothing changes.

import {h} from "../dom.js";
import {t, word} from "../i18n.js";
import {link} from "../router.js";
import {Answer} from "../answers.js";
import {absent, empty, failure, machineLink, pageTitle, section, state as stateOf, told} from "../parts.js";
import {balance, hostFacts, hostState} from "./hosts.js";
import * as format from "../format.js";

export const needs = [];

export function open(changed) {
  return {forecast: new Answer(changed)};
}

const fate = service =>
  h("tr", {key: `${service.hypervisor}/${service.uuid}`},
    h("th", {scope: "row"}, machineLink(service.name)),
    h("td", null, service.outcome === null ? h("span", {class: "state bad"}, h("span", {class: "dot"}), t("forecast.nothing")) : stateOf("outcome", service.outcome)),
    h("td", null, service.replacement === null ? h("span", {class: "muted"}, "–")
      : h("span", {class: "stack"}, machineLink(service.replacement), h("span", {class: "sub"}, `${service.replacement_hypervisor} · ${word("warmth", service.warmth)}`))),
    h("td", {class: "number hide-narrow"}, format.score(service.overlap)),
    h("td", {class: "hide-medium"}, service.detail && told(service.detail)));

function forecast(answer) {
  const {fencing, fencing_detail: why, settled, services} = answer;
  if (services.length === 0)
    return empty(t("forecast.empty"));
  return [
    h("div", {class: "forecast"},
      balance(answer),
      h("p", {class: "hint"}, t(`fencing.${fencing}`), why && [": ", told(why)]),
      !settled && h("p", {class: "hint"}, t("forecast.unsettled"))),
    h("table", {class: "list"},
      h("thead", null, h("tr", null,
        h("th", {scope: "col"}, t("column.service")), h("th", {scope: "col"}, t("column.outcome")), h("th", {scope: "col"}, t("column.replacement")),
        h("th", {scope: "col", class: "number hide-narrow"}, t("column.overlap")), h("th", {scope: "col", class: "hide-medium"}, t("column.detail")))),
      h("tbody", null, services.map(fate))),
  ];
}

export function draw(state, {path}, answers) {
  const name = path[1];
  const host = state.status.value?.hypervisors.find(one => one.name === name);
  const answer = answers.forecast.ask(`/v1/plan?host=${encodeURIComponent(name)}`, name, state.planGeneration);
  return [
    h("nav", {class: "crumbs", "aria-label": t("crumbs")}, h("a", {href: link(["hosts"])}, t("nav.hosts"))),
    pageTitle(name, host && hostState(host)),
    h("div", {class: "columns"},
      h("div", {class: "column-main"},
        h("section", {class: "card flush"},
          h("div", {class: "card-head"}, h("h2", null, t("host.whatif"))),
          h("p", {class: "hint padded"}, t("whatif.changesnothing")),
          answer.value ? forecast(answer.value) : answer.error ? failure(answer.error) : absent(answer))),
      h("div", {class: "column-side"}, host && section(t("host.about"), hostFacts(host)))),
  ];
}

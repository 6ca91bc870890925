// SPDX-License-Identifier: LGPL-2.1-or-later
// All recoveries that are kept, page by page. What is asked for stands in the query of the page.

import {h} from "../dom.js";
import {t, word} from "../i18n.js";
import {link, replaceQuery} from "../router.js";
import {Answer} from "../answers.js";
import {absent, empty, failure, pageTitle, select} from "../parts.js";
import {head, row} from "./recoveries.js";

export const needs = [];

const PAGE = 50;
const OUTCOMES = ["recovered", "exhausted", "dismissed", "observed", "called-off", "failed-while-held", "under-way"];

export function open(changed) {
  return {page: new Answer(changed)};
}

function pathOf(query) {
  const asked = new URLSearchParams({limit: PAGE});
  for (const name of ["failed", "outcome", "before"])
    if (query.get(name))
      asked.set(name, query.get(name));
  return `/v1/recoveries?${asked}`;
}

// Another filter begins with the newest again.
function setFilter(query, name, value) {
  const changed = new URLSearchParams(query);
  changed.delete("before");
  if (value === "")
    changed.delete(name);
  else
    changed.set(name, value);
  replaceQuery(changed);
}

function pages(query, list, next) {
  const older = new URLSearchParams(query), newest = new URLSearchParams(query);
  older.set("before", next);
  newest.delete("before");
  return h("nav", {class: "pages", "aria-label": t("history.pages")},
    query.has("before") && h("a", {class: "button", href: link(["history"], newest)}, t("history.newest")),
    next !== null && h("a", {class: "button", href: link(["history"], older)}, t("history.older")));
}

export function draw(state, {query}, answers) {
  const answer = answers.page.ask(pathOf(query), "history", query.has("before") ? 0 : state.generation);
  const list = answer.value?.recoveries, next = answer.value?.next_page;
  return [
    pageTitle(t("nav.history")),
    h("div", {class: "filters", role: "search"},
      h("label", {class: "field grow"}, h("span", {class: "field-name"}, t("history.failed")),
        h("input", {type: "search", value: query.get("failed") ?? "", placeholder: "web-1", autocomplete: "off", spellcheck: "false",
                    onchange: event => setFilter(query, "failed", event.target.value.trim())})),
      select(t("column.outcome"), query.get("outcome") ?? "", [["", t("filter.any")], ...OUTCOMES.map(outcome => [outcome, word("outcome", outcome)])],
        value => setFilter(query, "outcome", value))),
    answer.error ? failure(answer.error)
      : !list ? absent(answer)
        : list.length === 0 ? empty(t("history.empty"))
          : h("section", {class: `card flush${answer.isCurrent ? "" : " old"}`},
            h("h2", {class: "visually-hidden"}, t("nav.history")),
            h("table", {class: "list"}, head(), h("tbody", null, list.map(row)))),
    list && pages(query, list, next),
  ];
}

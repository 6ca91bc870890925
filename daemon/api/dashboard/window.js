// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables of very many rows, of which only those near the visible part of the page are in the document. Rows have one height.

import {h} from "./dom.js";

const OVERSCAN = 10; // rows above and below
const STEP = 6;      // the rows in the document change only every so many
const narrow = window.matchMedia("(max-width: 760px)");

export const isNarrow = () => narrow.matches;

// rows: anything; row(item) gives the cells of one, key(item) tells it from the others.
// height: of a row in pixels, wide and narrow. head: the cells of the head.
export function windowedTable({id, label, rows, row, key, head, height = [44, 64]}) {
  const pixels = height[narrow.matches ? 1 : 0];
  const top = document.getElementById(id)?.tBodies[0]?.getBoundingClientRect().top ?? 0;
  const first = clamp(Math.floor(-top / pixels / STEP) * STEP - OVERSCAN, rows.length);
  const last = clamp(Math.ceil((window.innerHeight - top) / pixels / STEP) * STEP + OVERSCAN, rows.length);

  return h("table", {id, class: "windowed", "aria-label": label, "aria-rowcount": String(rows.length + 1),
                     style: {"--row": `${pixels}px`}},
    h("thead", null, h("tr", {"aria-rowindex": "1"}, head)),
    h("tbody", null,
      space("before", first * pixels),
      rows.slice(first, last).map((item, i) =>
        h("tr", {key: key(item), "aria-rowindex": String(first + i + 2)}, row(item))),
      space("after", (rows.length - last) * pixels)));
}

const clamp = (index, length) => Math.min(Math.max(index, 0), length);

const space = (key, pixels) =>
  pixels > 0 && h("tr", {key, class: "space", "aria-hidden": "true"},
    h("td", {style: {height: `${pixels}px`}}));

// Calls changed() when other rows are to be in the document.
export function watchScrolling(changed) {
  window.addEventListener("scroll", changed, {passive: true});
  window.addEventListener("resize", changed);
}

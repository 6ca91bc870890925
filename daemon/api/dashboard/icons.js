// SPDX-License-Identifier: LGPL-2.1-or-later
// Line drawings of 20 by 20 units. They decorate words and are silent themselves.

import {h} from "./dom.js";

const paths = {
  services: "M4 5h12v4H4zM4 11h12v4H4zM7 7h.01M7 13h.01",
  machines: "M3 4.5h14v9H3zM7.5 16.5h5M10 13.5v3",
  recoveries: "M16 10a6 6 0 1 1-1.8-4.3M16.2 3.2v3.3h-3.3",
  history: "M10 6v4l2.6 1.8M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0z",
  hosts: "M4 3.5h12v5.5H4zM4 11h12v5.5H4zM13 6.2h.01M13 13.7h.01M7 6.2h3M7 13.7h3",
  whatif: "M4 6h5M13 6h3M4 14h3M11 14h5M11 3.8v4.4M9 11.8v4.4",
  arrow: "M4 10h11M11 6l4 4-4 4",
  swap: "M4 7h10l-2.6-2.6M16 13H6l2.6 2.6",
  warning: "M10 3.2 17.2 16H2.8zM10 8v3.6M10 13.7v.1",
  check: "M4.5 10.5l3.6 3.6 7.4-8",
  sun: "M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M15.5 4.5l-1.1 1.1M5.6 14.4l-1.1 1.1",
  moon: "M16 11.6A6.5 6.5 0 0 1 8.4 4a6.5 6.5 0 1 0 7.6 7.6z",
  auto: "M10 3.5a6.5 6.5 0 1 0 0 13zM10 3.5a6.5 6.5 0 0 1 0 13",
};

export const icon = (name, size = 18) =>
  h("svg", {class: "icon", viewBox: "0 0 20 20", width: size, height: size, "aria-hidden": "true", focusable: "false"},
    h("path", {d: paths[name]}));

// SPDX-License-Identifier: LGPL-2.1-or-later
// Places in the page, as they stand behind "#": a path of segments and a query. Every view can be linked to.

// {path: ["machines", "VM-001"], query: URLSearchParams}
export function parseHash(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return {path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query)};
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function link(path, query = null) {
  const text = query?.toString() ?? "";
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

// Goes to the same view with another query, without a step in the browser's history.
export function replaceQuery(query) {
  const {path} = parseHash(location.hash);
  history.replaceState(null, "", link(path, query));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Trees of elements, and bringing the page to the state of such a tree with the fewest changes, so that focus, selection
// and scrolling stay. Text becomes text nodes only: nothing that is shown can be markup.

const SVG = "http://www.w3.org/2000/svg";
const drawn = new WeakMap(); // what each element was last brought to

// An element. Properties: attributes by name; on… functions; `style`, an object of CSS properties; `key`, which tells it
// from its siblings. A child that is null, undefined or false is left out. A tree that is the same object as before is not
// looked at again.
export function h(tag, properties, ...children) {
  return {tag, properties: properties ?? {}, children: listed(children)};
}

function listed(children) {
  return children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false && child !== "");
}

// Brings the children of an element to these.
export function patch(parent, ...children) {
  patchChildren(parent, listed(children), parent.namespaceURI === SVG ? SVG : null);
}

function patchChildren(parent, children, namespace) {
  const left = new Set(parent.childNodes);
  const byKey = new Map();
  for (const node of left) {
    const key = drawn.get(node)?.properties.key;
    if (key !== undefined)
      byKey.set(key, node);
  }
  let place = parent.firstChild;
  for (const child of children) {
    let node = reusable(child, place, byKey, left);
    if (node === null)
      node = create(child, namespace);
    else
      update(node, child);
    left.delete(node);
    if (node === place)
      place = place.nextSibling;
    else
      parent.insertBefore(node, place);
  }
  for (const node of left)
    node.remove();
}

function reusable(child, place, byKey, left) {
  const key = child.properties?.key;
  const node = key !== undefined ? byKey.get(key) : place;
  if (!node || !left.has(node))
    return null;
  if (typeof child !== "object")
    return node.nodeType === Node.TEXT_NODE ? node : null;
  const before = drawn.get(node);
  return before?.tag === child.tag && before.properties.key === key ? node : null;
}

function create(child, namespace) {
  if (typeof child !== "object")
    return document.createTextNode(String(child));
  const own = child.tag === "svg" ? SVG : namespace;
  const element = own ? document.createElementNS(own, child.tag) : document.createElement(child.tag);
  drawn.set(element, {tag: child.tag, properties: {key: child.properties.key}, children: []});
  update(element, child);
  return element;
}

function update(node, child) {
  if (typeof child !== "object") {
    if (node.nodeValue !== String(child))
      node.nodeValue = String(child);
    return;
  }
  if (drawn.get(node) === child)
    return;
  const before = drawn.get(node).properties;
  // The options of a select are there before its value.
  patchChildren(node, child.children, node.namespaceURI === SVG ? SVG : null);
  for (const name of new Set([...Object.keys(before), ...Object.keys(child.properties)]))
    if (name !== "key")
      setProperty(node, name, child.properties[name], before[name]);
  drawn.set(node, child);
}

function setProperty(element, name, value, before) {
  if (name === "style") {
    for (const property of Object.keys({...before, ...value}))
      if (value?.[property] !== before?.[property])
        element.style.setProperty(property, value?.[property] ?? "");
  } else if (name.startsWith("on")) {
    element[name] = value ?? null;
  } else if (name === "value" || name === "checked" || name === "open") {
    // What the user has changed meanwhile counts as well.
    if (element[name] !== value && value !== undefined)
      element[name] = value;
  } else if (value !== before) {
    if (value === undefined || value === null || value === false)
      element.removeAttribute(name);
    else
      element.setAttribute(name, value === true ? "" : String(value));
  }
}

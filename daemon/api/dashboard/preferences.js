// SPDX-License-Identifier: LGPL-2.1-or-later
// What this browser is to remember: language, and light or dark.

// The value, or null where none was chosen or the browser keeps nothing.
export function recall(name) {
  try {
    return localStorage.getItem(`understudy.${name}`);
  } catch {
    return null;
  }
}

// null: forgets it.
export function remember(name, value) {
  try {
    if (value === null)
      localStorage.removeItem(`understudy.${name}`);
    else
      localStorage.setItem(`understudy.${name}`, value);
  } catch {
    // It holds until the page is left.
  }
}

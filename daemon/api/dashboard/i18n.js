// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of the page in the chosen language. What the daemon tells in sentences stays as it is, in English.

import {recall, remember} from "./preferences.js";
import {plural, setFormatLanguage} from "./format.js";
import en from "./text/en.js";
import ko from "./text/ko.js";

const catalogues = {en, ko};
export const LANGUAGES = {en: "English", ko: "한국어"};

let language = "en";

function preferred() {
  const chosen = recall("language");
  const wanted = [chosen, ...(navigator.languages ?? [navigator.language])].map(tag => tag?.slice(0, 2));
  return wanted.find(tag => tag in catalogues) ?? "en";
}

function setLanguage(chosen) {
  language = chosen;
  setFormatLanguage(chosen);
  document.documentElement.lang = chosen;
}

export function chooseLanguage(chosen) {
  remember("language", chosen);
  setLanguage(chosen);
}

export const currentLanguage = () => language;

// The text of this key with {names} filled in.
export function t(key, values = {}) {
  const text = catalogues[language][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A text for a count: key.one where the language tells one from others, else key.other. {n} is the count as it is written.
export function count(key, n, written) {
  const form = plural(n);
  return t(`${key}.${form}` in catalogues[language] ? `${key}.${form}` : `${key}.other`, {n: written});
}

// A word that the API uses, such as a state, as it is shown.
export function word(kind, value) {
  return catalogues[language][`${kind}.${value}`] ?? en[`${kind}.${value}`] ?? value;
}

setLanguage(preferred());

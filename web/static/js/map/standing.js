// The standing of a layer's answer: hit, clear, not checked, stale, in words and shape, with its version and day.

import { element } from "./element.js";
import { day, t } from "./language.js";

const SHAPES = { hit: "busy", clear: "good", not_checked: "bad", stale: "warn" };
const WORDS = { hit: () => t("found"), clear: () => t("clear"), not_checked: () => t("not checked"), stale: () => t("out of date") };
const REASONS = {
  "no-access": () => t("This layer is not open to you."),
  "partly-hidden": () => t("Some of its objects are not shown to you."),
  empty: () => t("Nothing was ever loaded."),
  old: () => t("Nobody has confirmed it for long."),
  pending: () => t("New objects are being compared just now."),
};

export function standingTag(standing) {
  return element("span", { class: `tag ${SHAPES[standing.answer] || ""}` }, WORDS[standing.answer]?.() || standing.answer);
}

// Why an answer is worth less, and which state of the layer it is about.
export function standingWords(standing) {
  const why = REASONS[standing.reason]?.() || "";
  const state = standing.version ? t("State of %(day)s, version %(version)s", { day: day(standing.confirmed_at || standing.changed_at), version: standing.version }) : "";
  return [why, state].filter(Boolean).join(" ");
}

// Every layer of an answer: what could not be checked first, what is clear last.
export function standingList(registry, layers) {
  const order = ["not_checked", "stale", "hit", "clear"];
  const names = Object.keys(layers).sort((a, b) => order.indexOf(layers[a].answer) - order.indexOf(layers[b].answer));
  const unsure = names.filter((name) => ["not_checked", "stale"].includes(layers[name].answer));
  const row = (name) => element("li", { "data-standing": name }, element("span", { class: "words" }, element("span", {}, registry.title(name)), element("span", { class: "hint" }, standingWords(layers[name]))), standingTag(layers[name]));
  return element(
    "details",
    { class: "part", open: unsure.length > 0 && unsure.length < names.length },
    element("summary", {}, unsure.length ? t("Checked: %(done)s of %(all)s layers", { done: names.length - unsure.length, all: names.length }) : t("All %(all)s layers are checked", { all: names.length })),
    element("ul", { class: "standings" }, names.map(row)),
  );
}

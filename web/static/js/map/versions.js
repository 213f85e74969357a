// The history of an object: what the register knew when, and what each version changed.

import { element } from "./element.js";
import { day, instant, locale, reading, t, tn } from "./language.js";

function changes(layer, newer, older) {
  const properties = layer.properties.filter((p) => p.name !== "key");
  const changed = properties.filter((p) => String(newer[p.name] ?? "") !== String(older[p.name] ?? ""));
  const items = changed.map((p) =>
    element("li", {}, element("span", { class: "muted" }, `${p.title[locale]}: `), element("del", {}, reading(p, older[p.name]) ?? "—"), " → ", element("ins", {}, reading(p, newer[p.name]) ?? "—")),
  );
  return items.length ? element("ul", { class: "changes" }, items) : element("p", { class: "hint" }, t("The boundary or the source changed."));
}

function period(version) {
  const from = version.valid_from ? t("held from %(day)s", { day: day(version.valid_from) }) : "";
  const to = version.valid_to ? t("until %(day)s", { day: day(version.valid_to) }) : "";
  return [from, to].filter(Boolean).join(" ");
}

export function versionList(layer, versions, zone) {
  const item = (version, i) => {
    const older = versions[i + 1];
    const times = [t("recorded %(time)s", { time: instant(version.sys_from, zone) }), version.sys_to && t("replaced %(time)s", { time: instant(version.sys_to, zone) }), period(version)];
    return element(
      "li",
      { class: version.sys_to ? "past" : "present" },
      element("p", { class: "small" }, times.filter(Boolean).join(" · ")),
      version.repair && element("p", { class: "hint" }, t("The boundary was repaired: %(repair)s", { repair: version.repair })),
      older ? changes(layer, version, older) : element("p", { class: "hint" }, t("First record")),
    );
  };
  return element("details", { class: "part" }, element("summary", {}, tn("%(count)s version in the history", "%(count)s versions in the history", versions.length)), element("ol", { class: "versions", reversed: true }, versions.map(item)));
}

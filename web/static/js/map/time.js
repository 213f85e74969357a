// The day whose rights are drawn: today, or any day that the registers remember.

import { announce } from "./announcer.js";
import { element } from "./element.js";
import { day, t } from "./language.js";

export function timeControl(viewer, foot) {
  const today = new Date().toISOString().slice(0, 10);
  const input = element("input", { id: "day", type: "date", max: today, value: viewer.day || "" });
  const reset = element("button", { class: "button quiet small", type: "button", hidden: !viewer.day }, t("Today"));
  const go = (chosen) => {
    viewer.travel(chosen);
    input.value = chosen || "";
    reset.hidden = !chosen;
    foot.classList.toggle("past", Boolean(chosen));
    announce(chosen ? t("The map shows %(day)s", { day: day(chosen) }) : t("The map shows today"));
  };
  input.addEventListener("change", () => go(input.value && input.value <= today ? input.value : null));
  reset.addEventListener("click", () => go(null));
  foot.classList.toggle("past", Boolean(viewer.day));
  foot.replaceChildren(element("label", { for: "day" }, t("Rights as of the day")), input, reset);
}

// The layer tree with its legend: symbols are those of the map, classes unfold, filters live beside their layer.

import { announce } from "./announcer.js";
import { element, icon } from "./element.js";
import { filterForm } from "./filter.js";
import { locale, number, t } from "./language.js";
import { symbol } from "./symbol.js";

function classes(layer) {
  const { style } = layer;
  if (!style.fill_by) return null;
  const names = layer.propertyByName.get(style.fill_by).labels;
  const depths = style.depth_by ? layer.propertyByName.get(style.depth_by).labels : {};
  const first = Object.values(style.colours)[0];
  return element(
    "div",
    { class: "classes" },
    element("ul", {}, Object.entries(style.colours).map(([code, colour]) => element("li", {}, symbol(layer, { colour }), names[code][locale]))),
    Object.keys(depths).length > 0 && element("p", { class: "hint" }, t("The older, the deeper the colour")),
    element("ul", {}, Object.entries(style.depths).map(([code, depth]) => element("li", {}, symbol(layer, { colour: first, depth }), depths[code][locale]))),
  );
}

function row(viewer, layer) {
  const title = layer.title[locale];
  const check = element("input", { type: "checkbox", checked: viewer.shown.has(layer.name), "data-layer": layer.name });
  check.addEventListener("change", () => {
    viewer.show(layer.name, check.checked);
    announce(check.checked ? t("%(layer)s: shown", { layer: title }) : t("%(layer)s: hidden", { layer: title }));
  });
  const more = element("div", { class: "more", hidden: true });
  const open = element("button", { class: "icon-button", type: "button", "aria-expanded": "false", "aria-label": t("Filter and legend: %(layer)s", { layer: title }) }, icon("filter"));
  open.addEventListener("click", () => {
    if (!more.childElementCount) more.append(...[classes(layer), filterForm(viewer, layer)].filter(Boolean));
    more.hidden = !more.hidden;
    open.setAttribute("aria-expanded", String(!more.hidden));
  });
  return element(
    "li",
    { "data-row": layer.name, class: layer.count === 0 ? "nothing" : null },
    element("div", { class: "row" }, element("label", {}, check, symbol(layer), element("span", { class: "title" }, title), element("span", { class: "count number" }, number(layer.count, 0))), open),
    more,
  );
}

// Marks rows that have a filter, or that are not drawn at this zoom.
function mark(viewer, list) {
  const zoom = viewer.map.getZoom();
  for (const item of list.querySelectorAll("[data-row]")) {
    const layer = viewer.registry.get(item.dataset.row);
    item.classList.toggle("filtered", Boolean(viewer.filters[layer.name]));
    const far = zoom < layer.zoom[0] - 0.01;
    item.classList.toggle("far", far);
    item.title = far ? t("Drawn from zoom %(zoom)s", { zoom: layer.zoom[0] }) : "";
    item.querySelector("input[data-layer]").checked = viewer.shown.has(layer.name);
  }
}

export function layerTree(viewer, panel) {
  const body = panel.querySelector(".panel-body");
  const groups = viewer.registry.groups
    .map((group) => ({ ...group, layers: viewer.registry.layers.filter((layer) => layer.group === group.name) }))
    .filter((group) => group.layers.length);
  const tree = element(
    "div",
    { class: "tree" },
    groups.map((group) => element("fieldset", {}, element("legend", {}, group.title), element("ul", {}, group.layers.map((layer) => row(viewer, layer))))),
  );
  body.replaceChildren(tree);
  mark(viewer, tree);
  viewer.map.on("zoomend", () => mark(viewer, tree));
  for (const what of ["layers", "filters"]) viewer.addEventListener(what, () => mark(viewer, tree));
}

// Filters: by number, region, state, date; the fields are those that the registry names and the tiles carry.

import { element } from "./element.js";
import { locale, t } from "./language.js";

// Fields of a layer's filter: `name`, or `name_from` and `name_to` for dates.
export function fieldsOf(layer) {
  return layer.filters.map((name) => layer.propertyByName.get(name)).filter((p) => layer.tile.includes(p.name));
}

// The MapLibre expression of a filter, null where nothing is filtered.
export function expressionOf(layer, values) {
  const conditions = [];
  const text = (values.text || "").trim().toLocaleLowerCase();
  if (text) {
    const names = layer.title_of.filter((name) => layer.tile.includes(name));
    conditions.push(["any", ...names.map((name) => ["in", text, ["downcase", ["to-string", ["get", name]]]])]);
  }
  for (const property of fieldsOf(layer)) {
    const value = ["to-string", ["get", property.name]];
    const { [property.name]: same, [`${property.name}_from`]: from, [`${property.name}_to`]: to } = values;
    if (same) conditions.push(["==", value, same]);
    if (from) conditions.push(["all", ["has", property.name], [">=", value, from]]);
    if (to) conditions.push(["all", ["has", property.name], ["<=", value, to]]);
  }
  return conditions.length ? ["all", ...conditions] : null;
}

function control(layer, property, values) {
  const id = `filter-${layer.name}-${property.name}`;
  if (property.type === "date") {
    return element(
      "fieldset",
      { class: "pair" },
      element("legend", {}, property.title[locale]),
      element("label", {}, t("from"), element("input", { type: "date", name: `${property.name}_from`, value: values[`${property.name}_from`] || "" })),
      element("label", {}, t("to"), element("input", { type: "date", name: `${property.name}_to`, value: values[`${property.name}_to`] || "" })),
    );
  }
  const options = Object.entries(property.labels || {}).map(([code, label]) =>
    element("option", { value: code, selected: values[property.name] === code }, label[locale]),
  );
  const input = property.labels
    ? element("select", { id, name: property.name }, element("option", { value: "" }, t("any")), options)
    : element("input", { id, name: property.name, value: values[property.name] || "" });
  return [element("label", { for: id }, property.title[locale]), input];
}

// The form of a layer's filter; every change is drawn at once.
export function filterForm(viewer, layer) {
  const values = viewer.filters[layer.name] || {};
  const id = `filter-${layer.name}-text`;
  const form = element(
    "form",
    { class: "filter-form" },
    element("label", { for: id }, layer.propertyByName.get(layer.title_of[0]).title[locale]),
    element("input", { id, name: "text", type: "search", autocomplete: "off", value: values.text || "" }),
    fieldsOf(layer).map((property) => control(layer, property, values)),
    element("button", { type: "reset", class: "button quiet small" }, t("Clear")),
  );
  const apply = () => viewer.filter(layer.name, Object.fromEntries(new FormData(form)));
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const input of form.elements) input.value = "";
    apply();
  });
  return form;
}

// Totals: number, area and stock of a layer by a property or by a division of the territory, as a chart and a table.

import { announce } from "./announcer.js";
import { drawing, element, icon, refill } from "./element.js";
import { locale, number, reading, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { standingTag, standingWords } from "./standing.js";

const BARS = 25;
const DIVISIONS = ["municipalities", "forestries"];
const MEASURES = {
  count: { title: () => t("Objects"), unit: () => t("objects"), digits: 0, of: (group) => group.count },
  area: { title: () => t("Area"), unit: () => t("ha"), digits: 1, of: (group) => group.area_ha },
  stock: { title: () => t("Growing stock"), unit: () => t("thousand m³"), digits: 1, of: (group) => (group.stock_m3 === null ? null : group.stock_m3 / 1000) },
};

function select(id, title, options, chosen, change) {
  const input = element("select", { id }, options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
  input.addEventListener("change", () => change(input.value));
  return element("div", { class: "pick" }, element("label", { for: id }, title), input);
}

export class Totals {
  constructor(viewer, panel) {
    Object.assign(this, { viewer, panel, measure: "area", where: "all" });
    this.body = panel.querySelector(".panel-body");
    this.layer = (viewer.registry.get("leases") || viewer.registry.layers[0])?.name;
    this.group = "per:municipalities";
    for (const what of ["day", "area"]) viewer.addEventListener(what, () => !panel.hidden && this.load());
  }

  // Properties with few values, then the divisions of the territory.
  groups(layer) {
    const coded = layer.properties.filter((p) => p.labels || ["holder", "forestry", "mineral", "year"].includes(p.name));
    const known = DIVISIONS.filter((name) => name !== layer.name && this.viewer.registry.get(name));
    return [...known.map((name) => [`per:${name}`, this.viewer.registry.title(name)]), ...coded.map((p) => [`by:${p.name}`, p.title[locale]])];
  }

  measures(layer) {
    const names = layer.geometry === "POINT" ? ["count"] : layer.propertyByName.has("stock_m3_ha") ? ["area", "stock", "count"] : ["area", "count"];
    return names.map((name) => [name, `${MEASURES[name].title()}, ${MEASURES[name].unit()}`]);
  }

  places() {
    const { area, object } = this.viewer;
    const whole = object && /POLYGON/.test(this.viewer.registry.get(object.layer)?.geometry || "");
    return [["all", t("the whole register")], ["view", t("what is in view")], ...(area ? [["area", t("the drawn polygon")]] : []), ...(whole ? [["object", t("the selected object")]] : [])];
  }

  async load() {
    this.request?.abort();
    this.request = new AbortController();
    const layer = this.viewer.registry.get(this.layer);
    const groups = this.groups(layer);
    if (!groups.some(([value]) => value === this.group)) this.group = groups[0][0];
    const measures = this.measures(layer);
    if (!measures.some(([value]) => value === this.measure)) this.measure = measures[0][0];
    if (!this.places().some(([value]) => value === this.where)) this.where = "all";
    this.form(layer, groups, measures);
    const [kind, name] = this.group.split(":");
    let path = `/api/v1/spatial/summary?layer=${this.layer}&${kind}=${name}${this.viewer.when()}`;
    if (this.where === "object") path += `&within=${this.viewer.object.layer}/${this.viewer.object.id}`;
    const shape = this.where === "area" ? this.viewer.area : this.where === "view" ? this.view() : null;
    try {
      this.answer = await ask(path, this.request.signal, shape ? { body: JSON.stringify(shape) } : {});
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") refill(this.chart, element("div", { class: "notice error", role: "alert" }, element("p", {}, explain(error))));
    }
  }

  view() {
    const [[w, s], [e, n]] = this.viewer.map.getBounds().toArray();
    return { type: "Polygon", coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]] };
  }

  form(layer, groups, measures) {
    const change = (what) => (value) => {
      this[what] = value;
      const id = document.activeElement?.id;
      if (what === "measure" && this.answer) this.draw();
      else this.load();
      if (id) document.getElementById(id)?.focus({ preventScroll: true });
    };
    this.chart = element("div", { class: "chart", "aria-live": "polite" }, [90, 60, 75, 40].map((width) => element("span", { class: `skeleton w${width}` })));
    refill(
      this.body,
      element(
        "div",
        { class: "picks" },
        select("totals-layer", t("Which register"), this.viewer.registry.layers.map((one) => [one.name, one.title[locale]]), this.layer, change("layer")),
        select("totals-group", t("By"), groups, this.group, change("group")),
        select("totals-where", t("Within"), this.places(), this.where, change("where")),
        select("totals-measure", t("What is measured"), measures, this.measure, change("measure")),
      ),
      this.chart,
    );
  }

  nameOf(group) {
    const [kind, name] = this.group.split(":");
    if (group.value === null) return kind === "per" ? t("outside of them") : t("not stated");
    return kind === "by" ? reading(this.viewer.registry.get(this.layer).propertyByName.get(name), group.value) : group.value;
  }

  colourOf(group) {
    const { style } = this.viewer.registry.get(this.layer);
    return this.group === `by:${style.fill_by}` ? style.colours[group.value] || style.fill : null;
  }

  draw() {
    const measure = MEASURES[this.measure];
    const rows = this.answer.groups.map((group) => ({ name: this.nameOf(group), value: measure.of(group), count: group.count, colour: this.colourOf(group) })).sort((a, b) => (b.value || 0) - (a.value || 0));
    const all = rows.reduce((sum, row) => sum + (row.value || 0), 0);
    const most = rows.reduce((top, row) => Math.max(top, row.value || 0), 0);
    const unit = measure.unit();
    const standing = Object.values(this.answer.layers)[0];
    const bar = (row) => drawing("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, drawing("rect", { width: most ? Math.max((100 * (row.value || 0)) / most, 0.4) : 0, height: 8, rx: 1, fill: row.colour }));
    const line = (row) => element("tr", {}, element("th", { scope: "row" }, row.name, bar(row)), element("td", { class: "number" }, row.value === null ? "—" : number(row.value, measure.digits)), element("td", { class: "number muted" }, all ? `${number((100 * (row.value || 0)) / all, 1)} %` : ""));
    const [, title] = this.groups(this.viewer.registry.get(this.layer)).find(([value]) => value === this.group);
    announce(tn("%(count)s group", "%(count)s groups", rows.length));
    refill(
      this.chart,
      element("p", { class: "total" }, element("span", { class: "kind" }, measure.title()), element("strong", { class: "number" }, `${number(all, measure.digits)} ${unit}`), standing.answer !== "hit" && standingTag(standing), element("span", { class: "hint" }, standingWords(standing))),
      ...(rows.length
        ? [
            element(
              "table",
              { class: "dense bars" },
              element("caption", { class: "visually-hidden" }, `${this.viewer.registry.title(this.layer)}: ${measure.title()}, ${unit}; ${title}`),
              element("thead", {}, element("tr", {}, element("th", { scope: "col" }, title), element("th", { scope: "col", class: "number" }, unit), element("th", { scope: "col", class: "number" }, t("share")))),
              element("tbody", {}, rows.slice(0, BARS).map(line)),
            ),
            ...(rows.length > BARS ? [element("p", { class: "hint" }, t("The largest %(first)s of %(all)s; the file has all of them.", { first: BARS, all: number(rows.length, 0) }))] : []),
            this.file(rows, title, unit),
          ]
        : [element("div", { class: "empty" }, element("p", {}, t("Nothing of this register lies there.")))]),
    );
  }

  file(rows, title, unit) {
    const quoted = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
    const text = [[title, unit, t("Objects")], ...rows.map((row) => [row.name, row.value, row.count])].map((line) => line.map(quoted).join(";")).join("\r\n");
    const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    return element("div", { class: "buttons" }, element("a", { class: "button secondary small", href: address, download: `${this.layer}.csv` }, icon("download"), t("Table (CSV)")));
  }
}

// The export: what is shown and filtered, in view or in a polygon, as files of a GIS, through the OGC API.

import { element, icon, refill } from "./element.js";
import { fieldsOf } from "./filter.js";
import { locale, number, t } from "./language.js";
import { ask } from "./registry.js";
import { symbol } from "./symbol.js";

const FORMATS = { gpkg: "GeoPackage", geojson: "GeoJSON", shapefile: "Shapefile", flatgeobuf: "FlatGeobuf", geoparquet: "GeoParquet", kml: "KML", dxf: "DXF", csv: "CSV" };
// A longer polygon does not fit into an address.
const LONGEST = 6000;
const MOST_GEOJSON = 10000;

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

// A layer's filter of the map as CQL2; empty where nothing is filtered.
export function filterText(layer, values = {}) {
  const found = [];
  const text = (values.text || "").trim();
  if (text) {
    const names = layer.title_of.filter((name) => layer.tile.includes(name));
    found.push(`(${names.map((name) => `CASEI(${name}) LIKE CASEI(${quoted(`%${text.replace(/[\\%_]/g, "\\$&")}%`)})`).join(" OR ")})`);
  }
  for (const { name, type } of fieldsOf(layer)) {
    const { [name]: same, [`${name}_from`]: from, [`${name}_to`]: to } = values;
    if (same) found.push(type === "integer" || type === "number" ? `${name} = ${Number(same)}` : `${name} = ${quoted(same)}`);
    if (from) found.push(`${name} >= DATE(${quoted(from)})`);
    if (to) found.push(`${name} <= DATE(${quoted(to)})`);
  }
  return found.join(" AND ");
}

function wkt({ type, coordinates }) {
  const polygon = (rings) => `(${rings.map((ring) => `(${ring.map(([x, y]) => `${+x.toFixed(7)} ${+y.toFixed(7)}`).join(",")})`).join(",")})`;
  return type === "Polygon" ? `POLYGON${polygon(coordinates)}` : `MULTIPOLYGON(${coordinates.map(polygon).join(",")})`;
}

export class Extract {
  constructor(viewer, panel) {
    Object.assign(this, { viewer, panel, format: "gpkg", where: "view" });
    this.body = panel.querySelector(".panel-body");
    viewer.map.on("moveend", () => !panel.hidden && this.where === "view" && this.count());
    for (const what of ["layers", "filters", "day", "area"]) viewer.addEventListener(what, () => !panel.hidden && this.draw());
  }

  address(layer, format, limit) {
    const { area, filters } = this.viewer;
    const parts = new URLSearchParams({ f: format });
    if (limit) parts.set("limit", limit);
    const conditions = [filterText(layer, filters[layer.name])].filter(Boolean);
    if (this.where === "area") conditions.push(`S_INTERSECTS(geometry, ${wkt(area)})`);
    if (conditions.length) parts.set("filter", conditions.join(" AND "));
    if (this.where === "view") parts.set("bbox", this.viewer.map.getBounds().toArray().flat().map((n) => n.toFixed(6)).join(","));
    // What the map draws is what holds on its day, so the file holds the same.
    if (!this.viewer.day) parts.set("datetime", new Date().toLocaleDateString("sv", { timeZone: this.viewer.zone }));
    return `/ogc/collections/${layer.name}/items?${parts}${this.viewer.when()}`;
  }

  draw() {
    const { registry, shown, area } = this.viewer;
    const fits = area && wkt(area).length <= LONGEST;
    if (this.where === "area" && !fits) this.where = "view";
    const places = [["view", t("what is in view")], ["area", t("the drawn polygon")], ["all", t("the whole register")]];
    const choice = ([value, text]) => element("label", { class: "choice" }, element("input", { type: "radio", name: "extract-where", value, checked: this.where === value, disabled: value === "area" && !fits, onchange: () => this.choose({ where: value }) }), element("span", {}, text));
    const format = element("select", { id: "extract-format", onchange: () => this.choose({ format: format.value }) }, Object.entries(FORMATS).map(([value, text]) => element("option", { value, selected: value === this.format }, text)));
    const layers = registry.layers.filter((layer) => shown.has(layer.name));
    const row = (layer) =>
      element(
        "li",
        { "data-extract": layer.name },
        symbol(layer),
        element("span", { class: "words" }, element("span", {}, layer.title[locale]), element("span", { class: "hint" }, this.viewer.filters[layer.name] ? t("filtered") : "")),
        element("span", { class: "count number" }, "…"),
        element("a", { class: "button secondary small", download: true, "aria-label": t("Download: %(layer)s", { layer: layer.title[locale] }) }, icon("download")),
      );
    refill(
      this.body,
      element("p", {}, t("Layers that are shown, with the filters that are set.")),
      element("fieldset", { class: "plain" }, element("legend", {}, t("From where")), places.map(choice)),
      area && !fits && element("p", { class: "hint" }, t("The polygon has too many corners for an export: simplify it.")),
      element("div", { class: "pick" }, element("label", { for: "extract-format" }, t("Format")), format),
      this.format === "geojson" && element("p", { class: "hint" }, t("A GeoJSON file holds %(most)s objects at most; other formats hold all.", { most: number(MOST_GEOJSON, 0) })),
      layers.length ? element("ul", { class: "files" }, layers.map(row)) : element("div", { class: "empty" }, element("p", {}, t("No layer is shown. Show one in “Layers”."))),
      element("p", { class: "hint" }, t("Coordinates are WGS 84 degrees. Other systems: /ogc, parameter crs.")),
    );
    this.count();
  }

  choose(what) {
    Object.assign(this, what);
    const id = document.activeElement?.id;
    this.draw();
    if (id) document.getElementById(id)?.focus();
  }

  // How many objects each file would hold; the addresses follow the view.
  async count() {
    this.request?.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    await Promise.all(
      [...this.body.querySelectorAll("[data-extract]")].map(async (item) => {
        const layer = this.viewer.registry.get(item.dataset.extract);
        item.querySelector("a").href = this.address(layer, this.format === "geojson" ? "json" : this.format, this.format === "geojson" ? MOST_GEOJSON : 0);
        item.querySelector("a").download = `${layer.name}.${this.format}`;
        const page = await ask(this.address(layer, "json", 1), signal).catch(() => null);
        if (page) item.querySelector(".count").textContent = number(page.numberMatched, 0);
      }),
    );
  }
}

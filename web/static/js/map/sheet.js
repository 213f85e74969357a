// The sheet: a printed map at a true scale; the frame of the paper lies on the map while its scale is chosen.

import { element, icon, refill } from "./element.js";
import { filterText } from "./extract.js";
import { locale, number, t } from "./language.js";
import { ask } from "./registry.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const EQUATOR = 6378137;

export class Sheet {
  constructor(viewer, panel) {
    Object.assign(this, { viewer, panel, paper: "a4-landscape", scale: null, title: "" });
    this.body = panel.querySelector(".panel-body");
    const { map } = viewer;
    map.addSource("sheet", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "sheet-shade", type: "fill", source: "sheet", filter: ["==", ["get", "part"], "around"], paint: { "fill-color": "#17211c", "fill-opacity": 0.28 } });
    map.addLayer({ id: "sheet-casing", type: "line", source: "sheet", filter: ["==", ["get", "part"], "frame"], paint: { "line-color": "#ffffff", "line-width": 5 } });
    map.addLayer({ id: "sheet-edge", type: "line", source: "sheet", filter: ["==", ["get", "part"], "frame"], paint: { "line-color": "#17211c", "line-width": 2 } });
    map.on("move", () => !panel.hidden && this.frame());
    map.on("moveend", () => !panel.hidden && this.address());
    for (const what of ["layers", "filters", "day"]) viewer.addEventListener(what, () => !panel.hidden && this.address());
  }

  async open() {
    this.known ??= await ask("/api/v1/sheets");
    this.scale ??= this.fitting();
    this.draw();
  }

  close() {
    this.viewer.map.getSource("sheet").setData(EMPTY);
  }

  // The largest scale whose sheet still holds what is in view.
  fitting() {
    const [[west], [east]] = this.viewer.map.getBounds().toArray();
    const across = ((east - west) * Math.PI * EQUATOR * Math.cos((this.viewer.map.getCenter().lat * Math.PI) / 180)) / 180;
    const { width } = this.known.papers[this.paper];
    return this.known.scales.find((scale) => (scale * width) / 1000 >= across * 0.6) || this.known.scales.at(-1);
  }

  // The frame in degrees: metres of the paper on the ground around the centre of the map.
  box() {
    const { width, height } = this.known.papers[this.paper];
    const { lng, lat } = this.viewer.map.getCenter();
    const [dx, dy] = [width, height].map((mm) => (mm * this.scale) / 2000);
    const up = (dy / 111320) || 0;
    const side = dx / (111320 * Math.cos((lat * Math.PI) / 180));
    return [lng - side, lat - up, lng + side, lat + up];
  }

  frame() {
    const [w, s, e, n] = this.box();
    const ring = [[w, s], [e, s], [e, n], [w, n], [w, s]];
    const around = [[[w - 40, -85], [e + 40, -85], [e + 40, 85], [w - 40, 85], [w - 40, -85]], ring];
    const part = (name, coordinates) => ({ type: "Feature", properties: { part: name }, geometry: { type: "Polygon", coordinates } });
    this.viewer.map.getSource("sheet").setData({ type: "FeatureCollection", features: [part("around", around), part("frame", [ring])] });
  }

  draw() {
    const { papers, scales } = this.known;
    const options = (list, chosen) => list.map(([value, text]) => element("option", { value, selected: String(value) === String(chosen) }, text));
    const scale = element("select", { id: "sheet-scale" }, options(scales.map((one) => [one, `1 : ${number(one, 0)}`]), this.scale));
    const paper = element("select", { id: "sheet-paper" }, options(Object.entries(papers).map(([name, one]) => [name, one.title[locale]]), this.paper));
    const title = element("input", { id: "sheet-name", type: "text", maxlength: 120, value: this.title, autocomplete: "off" });
    scale.addEventListener("change", () => this.choose({ scale: Number(scale.value) }));
    paper.addEventListener("change", () => this.choose({ paper: paper.value }));
    title.addEventListener("input", () => {
      this.title = title.value;
      this.address();
    });
    this.link = element("a", { class: "button", download: true, "data-act": "sheet" }, icon("download"), t("Make the PDF"));
    this.ground = element("p", { class: "hint" });
    const fit = element("button", { class: "button secondary small", type: "button", onclick: () => this.viewer.map.fitBounds(this.box(), { padding: 60, duration: 600 }) }, icon("target"), t("Show the whole sheet"));
    refill(
      this.body,
      element("p", {}, t("Move the map so that what you need lies in the frame.")),
      element("div", { class: "picks" }, element("div", { class: "pick" }, element("label", { for: "sheet-scale" }, t("Scale")), scale), element("div", { class: "pick" }, element("label", { for: "sheet-paper" }, t("Paper")), paper), element("div", { class: "pick" }, element("label", { for: "sheet-name" }, t("Title of the sheet")), title)),
      this.ground,
      element("div", { class: "buttons" }, this.link, fit),
      element("p", { class: "hint" }, t("Print it at 100 %, without fitting to the page: then one centimetre is what the scale says. The scale bar shows whether the printer kept to it.")),
    );
    this.address();
    this.frame();
  }

  choose(what) {
    Object.assign(this, what);
    const id = document.activeElement?.id;
    this.draw();
    if (id) document.getElementById(id)?.focus();
  }

  address() {
    if (!this.link) return;
    const { map, registry, shown, filters } = this.viewer;
    const { lng, lat } = map.getCenter();
    const layers = registry.layers.filter((layer) => shown.has(layer.name)).map((layer) => layer.name);
    const parts = new URLSearchParams({ lon: lng.toFixed(6), lat: lat.toFixed(6), scale: this.scale, paper: this.paper, lang: locale, layers: layers.join(",") });
    if (this.title) parts.set("title", this.title);
    for (const name of layers) {
      const text = filterText(registry.get(name), filters[name]);
      if (text) parts.append("filter", `${name}: ${text}`);
    }
    this.link.href = `/api/v1/sheets/map.pdf?${parts}${this.viewer.when()}`;
    this.link.download = `mezha-1-${this.scale}.pdf`;
    const { width, height } = this.known.papers[this.paper];
    const km = (mm) => number((mm * this.scale) / 1e6, 2);
    refill(this.ground, t("On the ground: %(across)s × %(down)s km; 1 cm is %(metres)s m.", { across: km(width), down: km(height), metres: number(this.scale / 100, 0) }));
  }
}

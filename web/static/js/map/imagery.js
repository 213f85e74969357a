// Imagery: rasters of the catalogue under the registers, each with its switch, strength and legend; nothing is fetched
// of a raster before it is switched on.

import { announce, warn } from "./announcer.js";
import { drawing, element, icon, refill } from "./element.js";
import { day, distance, number, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";

const KINDS = { image: () => t("Picture"), terrain: () => t("Terrain"), index: () => t("Index"), scan: () => t("Plan on paper") };
// What the day of a raster means.
const DAYS = { image: (on) => t("Taken on %(day)s", { day: on }), terrain: (on) => t("Surveyed on %(day)s", { day: on }), index: (on) => t("From a picture of %(day)s", { day: on }), scan: (on) => t("As of %(day)s", { day: on }) };
const VIEWS = { colours: () => t("Colours"), values: () => t("Heights by colour"), shade: () => t("Shaded relief") };
const MOST = 200;
// Rows are redrawn when the map has come to rest, not while it is being moved.
const REST = 250;

const meets = ([w, s, e, n], bounds) => w <= bounds.getEast() && e >= bounds.getWest() && s <= bounds.getNorth() && n >= bounds.getSouth();
const idOf = (name) => `imagery-${name}`;

// Enough digits to tell the ends of a range apart.
function figures([least, greatest], unit) {
  const digits = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.max(greatest - least, 1e-9)))));
  return [least, greatest].map((value) => number(value, digits) + (unit ? ` ${unit}` : ""));
}

let serial = 0;

function ramp({ stops, least, greatest, unit }) {
  const id = `ramp-${(serial += 1)}`;
  const shades = stops.map((colour, i) => drawing("stop", { offset: i / (stops.length - 1), "stop-color": colour }));
  const [low, high] = least === undefined ? ["", ""] : figures([least, greatest], unit);
  return element(
    "div",
    { class: "ramp" },
    drawing("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, drawing("defs", {}, drawing("linearGradient", { id }, shades)), drawing("rect", { width: 100, height: 6, fill: `url(#${id})` })),
    element("p", { class: "number" }, element("span", {}, low), element("span", {}, high)),
  );
}

export class Imagery {
  constructor(viewer, panel) {
    Object.assign(this, { viewer, panel, known: new Map(), around: [], total: 0, unfolded: false });
    this.body = element("fieldset", { class: "imagery", hidden: true });
    this.credit = document.getElementById("credit");
    panel.querySelector(".panel-body").append(this.body);
    const { map } = viewer;
    map.on("moveend", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => !panel.hidden && this.look(), REST);
    });
    map.on("error", ({ sourceId, error }) => {
      if (sourceId?.startsWith("imagery-") && error?.status !== 404) warn("imagery", t("A picture could not be loaded. Try again in a minute."));
    });
  }

  // Draws what the link asks for; the rest waits for the panel.
  async begin() {
    const asked = [...this.viewer.imagery.keys()];
    if (asked.length) {
      const { rasters } = await ask(`/api/v1/rasters?limit=${MOST}&bbox=0,0,0,0&names=${asked.slice(0, 20).join(",")}`);
      for (const item of rasters) this.known.set(item.name, item);
    }
    for (const name of asked) if (!this.known.has(name)) this.viewer.imagery.delete(name);
    for (const name of this.viewer.imagery.keys()) this.paint(name);
    this.tell();
  }

  // What lies in view; asked anew only where the list was cut.
  async look() {
    const bounds = this.viewer.map.getBounds();
    try {
      if (!this.whole) {
        const box = [Math.max(-180, bounds.getWest()), Math.max(-90, bounds.getSouth()), Math.min(180, bounds.getEast()), Math.min(90, bounds.getNorth())];
        const cut = this.cut ? `&bbox=${box.map((side) => side.toFixed(5)).join(",")}` : "";
        const answer = await ask(`/api/v1/rasters?limit=${MOST}${cut}`);
        for (const item of answer.rasters) this.known.set(item.name, item);
        if (!cut && answer.total > answer.rasters.length) {
          this.cut = true;
          return this.look();
        }
        Object.assign(this, { whole: !cut, total: answer.total });
      }
    } catch (error) {
      refill(this.body, element("legend", {}, t("Imagery")), element("p", { class: "hint" }, explain(error)));
      this.body.hidden = false;
      return;
    }
    this.list(bounds);
  }

  list(bounds) {
    const items = [...this.known.values()].sort((a, b) => b.taken.localeCompare(a.taken) || a.name.localeCompare(b.name));
    const here = items.filter((item) => this.viewer.imagery.has(item.name) || meets(item.bbox, bounds));
    const names = `${here.map((item) => item.name)}|${this.unfolded}|${this.total}`;
    this.body.hidden = !this.total;
    if (names === this.listed) return;
    this.listed = names;
    const held = this.body.contains(document.activeElement) && document.activeElement.dataset.key;
    const elsewhere = items.filter((item) => !here.includes(item));
    const others = this.total - here.length;
    const words = tn("%(count)s elsewhere on the map", "%(count)s elsewhere on the map", others);
    const more = element("button", { class: "link small", type: "button", "data-key": "others", "aria-expanded": String(this.unfolded), onclick: () => this.unfold() }, words);
    refill(
      this.body,
      element("legend", {}, t("Imagery")),
      here.length ? element("ul", {}, here.map((item) => this.row(item))) : element("p", { class: "hint" }, t("No imagery of this place.")),
      others > 0 && (elsewhere.length ? more : element("p", { class: "hint" }, words)),
      this.unfolded && element("ul", {}, elsewhere.slice(0, MOST).map((item) => this.row(item))),
    );
    if (held) this.body.querySelector(`[data-key="${held}"]`)?.focus();
  }

  unfold() {
    this.unfolded = !this.unfolded;
    this.list(this.viewer.map.getBounds());
  }

  row(item) {
    const on = this.viewer.imagery.has(item.name);
    const check = element("input", { type: "checkbox", checked: on, "data-imagery": item.name, "data-key": `check-${item.name}` });
    const more = element("div", { class: "more", id: `imagery-more-${serial += 1}`, hidden: !on }, on && this.controls(item));
    check.addEventListener("change", () => {
      this.show(item, check.checked);
      refill(more, check.checked && this.controls(item));
      more.hidden = !check.checked;
    });
    const words = element("span", { class: "words" }, element("span", { class: "title" }, item.title), element("span", { class: "kind" }, `${KINDS[item.kind]()} · ${day(item.taken)}`));
    const fly = element("button", { class: "icon-button", type: "button", "data-key": `fly-${item.name}`, "aria-label": t("Show where it lies: %(title)s", { title: item.title }), title: t("Show where it lies") }, icon("target"));
    fly.addEventListener("click", () => this.viewer.fly(item.bbox, { side: "left", maxZoom: item.zoom[1] }));
    return element("li", { "data-raster": item.name }, element("div", { class: "row" }, element("label", {}, check, words), fly), more);
  }

  controls(item) {
    const shown = this.viewer.imagery.get(item.name);
    const key = `imagery-${item.name}`;
    const said = element("output", { for: `${key}-strength`, class: "number" }, `${shown.strength} %`);
    const strength = element("input", { id: `${key}-strength`, "data-key": `${key}-strength`, type: "range", min: 10, max: 100, step: 5, value: shown.strength });
    strength.addEventListener("input", () => {
      said.textContent = `${strength.value} %`;
      this.change(item, { strength: Number(strength.value) });
    });
    const legend = element("div", { class: "meaning" });
    const tell = () => refill(legend, this.meaning(item, this.viewOf(item)));
    tell();
    const view = element("select", { id: `${key}-view`, "data-key": `${key}-view` }, item.views.map((one) => element("option", { value: one.name, selected: one.name === shown.view }, VIEWS[one.name]())));
    view.addEventListener("change", () => {
      this.change(item, { view: view.value });
      tell();
    });
    return [
      element("p", { class: "hint" }, `${DAYS[item.kind](day(item.taken))} · ${t("pixel %(size)s", { size: distance(item.resolution_m) })}`),
      item.views.length > 1 && element("div", { class: "pick" }, element("label", { for: `${key}-view` }, t("How to draw it")), view),
      legend,
      element("div", { class: "strength" }, element("label", { for: `${key}-strength` }, t("Opacity")), said, strength),
      item.attribution && element("p", { class: "hint" }, t("Source: %(source)s", { source: item.attribution })),
    ];
  }

  meaning(item, view) {
    const { stops, bands } = view.legend;
    if (stops) return ramp(view.legend);
    if (view.name === "shade") return element("p", { class: "hint" }, t("Light from the north-west; far out, heights are exaggerated."));
    return element("p", { class: "hint" }, tn("Band %(bands)s", "Bands %(bands)s", bands.length, { bands: bands.join(", ") }));
  }

  viewOf(item) {
    const { view } = this.viewer.imagery.get(item.name);
    return item.views.find((one) => one.name === view) || item.views[0];
  }

  show(item, on) {
    const { viewer } = this;
    if (on) viewer.imagery.set(item.name, { strength: 100, view: item.views[0].name });
    else viewer.imagery.delete(item.name);
    this.paint(item.name);
    announce(on ? t("%(layer)s: shown", { layer: item.title }) : t("%(layer)s: hidden", { layer: item.title }));
    this.tell();
  }

  change(item, what) {
    Object.assign(this.viewer.imagery.get(item.name), what);
    this.paint(item.name);
    this.tell();
  }

  // Brings the map to what is asked of a raster: its source, its place under the registers, its strength.
  paint(name) {
    const { map, imagery } = this.viewer;
    const id = idOf(name);
    const shown = imagery.get(name);
    if (!shown) {
      if (map.getLayer(id)) map.removeLayer(id);
      if (map.getSource(id)) map.removeSource(id);
      return;
    }
    const item = this.known.get(name);
    const tiles = [location.origin + this.viewOf(item).tiles];
    if (!map.getSource(id)) {
      map.addSource(id, { type: "raster", tiles, tileSize: 256, bounds: item.bbox, minzoom: item.zoom[0], maxzoom: item.zoom[1] });
      map.addLayer({ id, type: "raster", source: id }, map.getStyle().layers.find((layer) => layer.source === "mezha")?.id);
    } else if (map.getSource(id).tiles[0] !== tiles[0]) map.getSource(id).setTiles(tiles);
    map.setPaintProperty(id, "raster-opacity", shown.strength / 100);
  }

  // The link and the line of sources follow.
  tell() {
    const { viewer } = this;
    viewer.keep();
    const sources = [...new Set([...viewer.imagery.keys()].map((name) => this.known.get(name).attribution).filter(Boolean))];
    this.credit.hidden = !sources.length;
    this.credit.textContent = sources.length ? t("Imagery: %(sources)s", { sources: sources.join("; ") }) : "";
  }
}

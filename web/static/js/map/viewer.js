// The viewer: what is shown, filtered, selected and when; modules hear of changes and change it only here.

import { expressionOf } from "./filter.js";
import { write } from "./permalink.js";

export class Viewer extends EventTarget {
  constructor({ map, registry, asked }) {
    super();
    this.map = map;
    this.registry = registry;
    this.defaults = new Set(registry.layers.filter((layer) => layer.shown).map((layer) => layer.name));
    this.shown = asked.layers ? new Set([...asked.layers].filter((name) => registry.get(name))) : new Set(this.defaults);
    this.filters = Object.fromEntries(Object.entries(asked.filters).filter(([name]) => registry.get(name)));
    // Rasters that are shown, from the lowest to the topmost: name → strength in percent, view.
    this.imagery = asked.imagery;
    this.object = null;
    this.day = asked.day;
    // The instant whose knowledge is drawn, and the polygon to which questions keep.
    this.known = asked.known;
    this.area = null;
    map.on("moveend", () => this.keep());
  }

  // MapLibre layers that draw a layer of the registers.
  partsOf(name) {
    return this.map.getStyle().layers.filter((part) => part["source-layer"] === name || part.source === `${name}-label`);
  }

  draw() {
    for (const layer of this.registry.layers) {
      const filter = expressionOf(layer, this.filters[layer.name] || {});
      for (const part of this.partsOf(layer.name)) {
        this.map.setLayoutProperty(part.id, "visibility", this.shown.has(layer.name) ? "visible" : "none");
        this.map.setFilter(part.id, filter);
      }
    }
    this.keep();
  }

  show(name, on) {
    if (on) this.shown.add(name);
    else this.shown.delete(name);
    this.draw();
    this.tell("layers");
  }

  filter(name, fields) {
    const used = Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
    if (Object.keys(used).length) this.filters[name] = used;
    else delete this.filters[name];
    this.draw();
    this.tell("filters");
  }

  select(object) {
    this.object = object;
    this.keep();
    this.tell("object");
  }

  // The moment as parameters of every question: valid day and system time, after `mark` where there are any.
  when(mark = "&") {
    const parts = [this.day && `datetime=${this.day}`, this.known && `as_of=${encodeURIComponent(this.known)}`].filter(Boolean);
    return parts.length ? mark + parts.join("&") : "";
  }

  // The day whose rights are drawn, and the instant whose knowledge; null is today, as known now.
  travel(day, known = null) {
    Object.assign(this, { day, known });
    const source = this.map.getSource("mezha");
    source.setTiles(source.tiles.map((url) => url.split("?")[0] + this.when("?")));
    this.keep();
    this.tell("day");
  }

  // The polygon that totals and exports keep to, or none.
  enclose(shape) {
    this.area = shape;
    this.tell("area");
  }

  keep() {
    write(this);
  }

  tell(what) {
    this.dispatchEvent(new CustomEvent(what));
  }

  // Ids of the MapLibre layers that can be hit: fills and circles of what is shown.
  targets() {
    return this.registry.layers.filter((layer) => this.shown.has(layer.name)).map((layer) => layer.name).filter((id) => this.map.getLayer(id));
  }

  fly(bbox, { padding = 80, maxZoom = 15.5, side = "right" } = {}) {
    if (!bbox) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const narrow = innerWidth < 720;
    const pad = narrow ? { top: 90, bottom: innerHeight * 0.5, left: 30, right: 30 } : { top: padding, bottom: padding, left: side === "left" ? 520 : padding + 70, right: side === "left" ? padding : 460 };
    this.map.fitBounds(bbox, { padding: pad, maxZoom, duration: calm ? 0 : 900, essential: true });
  }
}

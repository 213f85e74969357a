// The conflicts: pairs of objects that overlap, drawn in error red with their area, listed by kind, largest first.

import { announce } from "./announcer.js";
import { bboxOf } from "./corners.js";
import { element, refill } from "./element.js";
import { area, day, locale, number, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { standingTag, standingWords } from "./standing.js";

const MOST = 1000;
const SHOWN = 100;
const RED = "#b3261e";
const BARE = { type: "FeatureCollection", features: [] };

const keyOf = (pair) => `${pair.a.version}-${pair.b.version}`;

// What a chosen pair is drawn with, and what the others are.
const chosen = (key, one, others) => (key ? ["case", ["==", ["get", "pair"], key], one, others] : others);

export class Conflicts {
  constructor(viewer, panel, open) {
    Object.assign(this, { viewer, panel, open, kinds: null, near: false });
    this.body = panel.querySelector(".panel-body");
    const { map } = viewer;
    map.addSource("conflicts", { type: "geojson", data: BARE });
    const layer = (id, type, paint, more = {}) => map.addLayer({ id: `conflicts-${id}`, type, source: "conflicts", paint, ...more });
    layer("area", "fill", { "fill-color": RED, "fill-opacity": 0.16 }, { filter: ["==", ["geometry-type"], "Polygon"] });
    layer("casing", "line", { "line-color": "#ffffff", "line-width": 3.6, "line-opacity": 0.8 }, { filter: ["==", ["geometry-type"], "Polygon"] });
    layer("edge", "line", { "line-color": RED, "line-width": 1.4 }, { filter: ["==", ["geometry-type"], "Polygon"] });
    layer("place", "circle", { "circle-radius": 8, "circle-color": RED, "circle-opacity": 0.35, "circle-stroke-color": RED, "circle-stroke-width": 2.5 }, { filter: ["==", ["geometry-type"], "Point"] });
    layer("label", "symbol", { "text-color": RED, "text-halo-color": "#ffffff", "text-halo-width": 2 }, { minzoom: 9, layout: { "text-field": ["get", "label"], "text-font": ["Golos Text Bold", "Golos Text"], "text-size": 13 } });
    map.on("moveend", () => this.near && !panel.hidden && this.load());
    viewer.addEventListener("day", () => !panel.hidden && this.load());
  }

  async load() {
    this.request?.abort();
    this.request = new AbortController();
    if (!this.answer) refill(this.body, ...[90, 60, 75, 40].map((width) => element("span", { class: `skeleton w${width}` })));
    const box = this.near ? `&bbox=${this.viewer.map.getBounds().toArray().flat().map((n) => n.toFixed(5)).join(",")}` : "";
    try {
      this.answer = await ask(`/api/v1/spatial/overlaps?limit=${MOST}${box}${this.viewer.when()}`, this.request.signal);
      this.draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      refill(this.body, element("div", { class: "notice error", role: "alert" }, element("p", {}, explain(error))), element("button", { class: "button secondary", type: "button", onclick: () => this.load() }, t("Try again")));
    }
  }

  // Out of sight with its panel, so that red never stands on the map without its words.
  clear() {
    this.answer = null;
    this.viewer.map.getSource("conflicts").setData(BARE);
  }

  // A kind in the words of its layers; the hidden half of a pair is told by its name alone.
  kindOf(kind) {
    const [a, b] = this.answer.kinds[kind].layers;
    const { registry } = this.viewer;
    return a === b ? t("%(layer)s among themselves", { layer: registry.title(a) }) : `${registry.title(a)} × ${registry.title(b)}`;
  }

  draw() {
    const { answer } = this;
    const pairs = answer.pairs.filter((pair) => !this.kinds || this.kinds.has(pair.kind));
    const features = pairs.filter((pair) => pair.geometry).map((pair) => ({ type: "Feature", geometry: pair.geometry, properties: { pair: keyOf(pair), label: pair.overlap_ha ? area(pair.overlap_ha * 10000) : "" } }));
    this.viewer.map.getSource("conflicts").setData({ type: "FeatureCollection", features });
    const words = tn("%(count)s conflict", "%(count)s conflicts", answer.matched);
    announce(words);
    const near = element("input", { type: "checkbox", id: "conflicts-near", checked: this.near, onchange: () => this.only(near.checked) });
    refill(
      this.body,
      element("div", { class: "size" }, element("div", {}, element("span", { class: "kind" }, t("Conflicts")), element("strong", { class: "number" }, number(answer.matched, 0))), element("div", {}, element("span", { class: "kind" }, t("Common area")), element("strong", { class: "number" }, area(answer.overlap_ha * 10000)))),
      element("label", { class: "choice" }, near, element("span", {}, t("Only in view"))),
      this.kindList(),
      pairs.length ? element("ul", { class: "entries", "data-pairs": pairs.length }, pairs.slice(0, SHOWN).map((pair) => this.entry(pair))) : element("div", { class: "empty" }, element("p", {}, t("No conflict is known here."))),
      pairs.length > SHOWN && element("p", { class: "hint" }, t("The first %(first)s of %(all)s, largest first.", { first: SHOWN, all: number(pairs.length, 0) })),
    );
  }

  only(near) {
    this.near = near;
    this.load();
  }

  kindList() {
    const counts = this.answer.pairs.reduce((sum, pair) => sum.set(pair.kind, (sum.get(pair.kind) || 0) + 1), new Map());
    const kinds = Object.keys(this.answer.kinds).sort((a, b) => (counts.get(b) || 0) - (counts.get(a) || 0));
    const row = (kind) => {
      const standing = this.answer.kinds[kind];
      const check = element("input", { type: "checkbox", checked: !this.kinds || this.kinds.has(kind), "data-kind": kind, onchange: () => this.choose(kind, check.checked) });
      return element("li", {}, element("label", { class: "choice" }, check, element("span", { class: "words" }, element("span", {}, this.kindOf(kind)), element("span", { class: "hint" }, standingWords(standing)))), counts.get(kind) ? element("span", { class: "count number" }, number(counts.get(kind), 0)) : standingTag(standing));
    };
    return element("details", { class: "part" }, element("summary", {}, t("Kinds and what was compared")), element("ul", { class: "standings" }, kinds.map(row)));
  }

  choose(kind, on) {
    const open = this.body.querySelector("details")?.open;
    this.kinds ??= new Set(Object.keys(this.answer.kinds));
    if (on) this.kinds.add(kind);
    else this.kinds.delete(kind);
    this.draw();
    this.body.querySelector("details").open = open;
  }

  entry(pair) {
    const half = (side) => element("span", { class: "half" }, element("span", { class: "kind" }, this.viewer.registry.one(side.layer)), element("strong", {}, side.title || t("without number")), side.share !== null && element("span", { class: "muted" }, ` ${t("%(share)s % of it", { share: number(side.share * 100, 1) })}`));
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", "data-pair": keyOf(pair), onclick: () => this.fly(pair) },
        element("span", { class: "words" }, half(pair.a), half(pair.b), element("span", { class: "muted" }, t("known since %(day)s", { day: day(pair.known_from) }))),
        element("strong", { class: "number red" }, pair.overlap_ha ? area(pair.overlap_ha * 10000) : t("point")),
      ),
      element("div", { class: "small more-of" }, ["a", "b"].map((side) => element("button", { class: "link", type: "button", onclick: () => this.open(pair[side]) }, pair[side].title || this.viewer.registry.get(pair[side].layer)?.one[locale] || pair[side].layer))),
    );
  }

  fly(pair) {
    const { map } = this.viewer;
    const key = keyOf(pair);
    map.setPaintProperty("conflicts-area", "fill-opacity", chosen(key, 0.36, 0.05));
    map.setPaintProperty("conflicts-edge", "line-width", chosen(key, 3.2, 1.2));
    map.setPaintProperty("conflicts-edge", "line-opacity", chosen(key, 1, 0.55));
    map.setLayoutProperty("conflicts-label", "symbol-sort-key", chosen(key, 0, 1));
    this.viewer.fly(bboxOf(pair.geometry), { side: "left", maxZoom: 15 });
    announce(`${pair.a.title}, ${pair.b.title}: ${pair.overlap_ha ? area(pair.overlap_ha * 10000) : t("point")}`);
  }
}

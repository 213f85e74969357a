// The list beside the map: objects in view, for those who do not see the map and those who would rather read.

import { announce } from "./announcer.js";
import { element } from "./element.js";
import { number, t, tn } from "./language.js";
import { symbol } from "./symbol.js";

const MOST = 200;

export function inView(viewer, panel, choose) {
  const body = panel.querySelector(".panel-body");
  const { map, registry } = viewer;

  function collect() {
    const found = new Map();
    const targets = viewer.targets().filter((name) => registry.get(name).group !== "base");
    for (const feature of targets.length ? map.queryRenderedFeatures({ layers: targets }) : []) {
      const key = `${feature.sourceLayer}/${feature.id}`;
      if (feature.id && !found.has(key)) found.set(key, { layer: feature.sourceLayer, id: feature.id, properties: feature.properties });
    }
    const order = registry.layers.map((layer) => layer.name);
    return [...found.values()].sort((a, b) => order.indexOf(a.layer) - order.indexOf(b.layer) || registry.nameOf(a.layer, a.properties).localeCompare(registry.nameOf(b.layer, b.properties), undefined, { numeric: true }));
  }

  let told = "";

  function draw() {
    if (panel.hidden) return;
    const objects = collect();
    const items = objects.slice(0, MOST).map((o) =>
      element("li", {}, element("button", { type: "button", "data-object": `${o.layer}/${o.id}`, onclick: () => choose(o) }, symbol(registry.get(o.layer)), element("span", { class: "words" }, element("span", { class: "kind" }, registry.one(o.layer)), element("strong", {}, registry.nameOf(o.layer, o.properties))))),
    );
    const summary = objects.length > MOST ? t("The first %(first)s of %(all)s. Come closer to see the others.", { first: number(MOST, 0), all: number(objects.length, 0) }) : tn("%(count)s object in view", "%(count)s objects in view", objects.length);
    const empty = element("div", { class: "empty" }, element("p", {}, t("No object is in view. Move the map, come closer, or show more layers.")));
    body.replaceChildren(element("p", { class: "hint" }, summary), items.length ? element("ul", { class: "entries" }, items) : empty);
    if (summary !== told) announce(summary);
    told = summary;
  }

  map.on("idle", draw);
  return draw;
}

// The map: puts the parts together, and waits for the font so that labels are drawn in it.

import { announce, calm, warn } from "./announcer.js";
import { base } from "./base.js";
import { Conflicts } from "./conflicts.js";
import { Detail } from "./detail.js";
import { Extract } from "./extract.js";
import { Highlight } from "./highlight.js";
import { Imagery } from "./imagery.js";
import { inView } from "./inview.js";
import { layerTree } from "./layers.js";
import { locale, t } from "./language.js";
import { Measure } from "./measure.js";
import { keys, Panels } from "./panels.js";
import { read } from "./permalink.js";
import { Question } from "./question.js";
import { readout } from "./readout.js";
import { ask, explain, Registry } from "./registry.js";
import { Search } from "./search.js";
import { Sheet } from "./sheet.js";
import { hatchImage } from "./symbol.js";
import { Time } from "./time.js";
import { Totals } from "./totals.js";
import { Viewer } from "./viewer.js";

const stage = document.getElementById("content");
const container = document.getElementById("map");
const settings = container.dataset;
maplibregl.setWorkerUrl("/lib/maplibre/maplibre-gl-csp-worker.js");

// Labels are drawn by the browser in the page's own font, so the font must be there first.
const fonts = () => Promise.all([400, 500, 700].map((weight) => document.fonts.load(`${weight} 24px "Golos Text"`, "Межа 12,3 Mezha")));

export async function styleOf({ url, attribution } = {}) {
  const [registers, ground] = await Promise.all([ask("/tiles/style.json"), base({ url, attribution })]);
  const layers = registers.layers.filter((layer) => layer.type !== "background");
  const own = JSON.parse(JSON.stringify(layers).replaceAll('"locale":"ru"', `"locale":"${locale}"`));
  const pictures = ground.glyphs ? { glyphs: ground.glyphs, sprite: ground.sprite } : {};
  return { ...registers, ...pictures, sources: { ...ground.sources, ...registers.sources }, layers: [...ground.layers, ...own] };
}

// Few, wide objects are named once each, from points of their own, not once a tile.
function nameOnce(style, registry) {
  for (const layer of registry.layers.filter((one) => one.style.label_once)) {
    const label = style.layers.find((part) => part.id === `${layer.name}-label`);
    style.sources[label.id] = { type: "geojson", data: `${location.origin}/api/v1/layers/${layer.name}/labels` };
    label.source = label.id;
    delete label["source-layer"];
  }
  return style;
}

export function hatches(map, registry) {
  map.on("styleimagemissing", ({ id }) => {
    const layer = registry.get(id.replace("hatch-", ""));
    if (layer && !map.hasImage(id)) map.addImage(id, hatchImage(layer.style.fill), { pixelRatio: 2 });
  });
}

function start(asked, bbox) {
  if (asked.view) return asked.view;
  if (!bbox || bbox[2] - bbox[0] > 120) return { center: [96, 62], zoom: 2.6 };
  const wide = innerWidth >= 720;
  return { bounds: bbox, fitBoundsOptions: { padding: wide ? { top: 70, bottom: 60, left: 380, right: 60 } : { top: 80, bottom: 90, left: 20, right: 20 } } };
}

function connection(map) {
  map.on("error", ({ error, sourceId }) => {
    if (sourceId !== "mezha") {
      console.error(String(error?.message || error));
      return;
    }
    warn("tiles", explain({ kind: navigator.onLine ? "busy" : "offline" }));
  });
  map.on("sourcedata", ({ sourceId, tile }) => {
    if (sourceId === "mezha" && tile?.state === "loaded") calm("tiles");
  });
  addEventListener("offline", () => warn("offline", explain({ kind: "offline" })));
  addEventListener("online", () => calm("offline"));
}

// Objects that the map has drawn under the pointer, points within a finger's width.
function drawnAt(viewer, point) {
  const points = viewer.targets().filter((name) => viewer.registry.get(name).geometry === "POINT");
  const box = [[point.x - 9, point.y - 9], [point.x + 9, point.y + 9]];
  const found = points.length ? viewer.map.queryRenderedFeatures(box, { layers: points }) : [];
  const seen = new Map(found.map((f) => [`${f.sourceLayer}/${f.id}`, f]));
  return [...seen.values()].map((f) => ({ layer: f.sourceLayer, id: f.id, title: viewer.registry.nameOf(f.sourceLayer, f.properties), ...f.properties }));
}

// The tools that take a press on the map for themselves.
class Hands {
  constructor(measure, question) {
    Object.assign(this, { measure, question });
  }

  // Whether a tool took the place.
  take(place) {
    if (this.measure.on) this.measure.add(place);
    else if (this.question.drawing) this.question.add(place);
    else return false;
    return true;
  }

  get busy() {
    return this.measure.on || this.question.drawing;
  }
}

function press(viewer, detail, hands) {
  viewer.map.on("click", (event) => {
    const place = event.lngLat.wrap().toArray();
    if (!hands.take(place)) detail.at(place, drawnAt(viewer, event.point));
  });
  viewer.map.on("mousemove", (event) => {
    if (hands.busy) return;
    const targets = viewer.targets().filter((name) => viewer.registry.get(name).group !== "base");
    const hit = targets.length && viewer.map.queryRenderedFeatures(event.point, { layers: targets }).length;
    viewer.map.getCanvas().style.cursor = hit ? "pointer" : "";
  });
}

const LETTERS = { L: "layers", O: "objects", A: "question", S: "totals", C: "conflicts", T: "time", E: "extract", P: "sheet" };

function tools(viewer, panels, detail, { measure, question }, search) {
  const { map } = viewer;
  const button = (name) => stage.querySelector(`[data-tool=${name}]`);
  const rail = stage.querySelector(".tools");
  const unfold = (on = !rail.classList.contains("open")) => {
    const changed = rail.classList.toggle("open", on) !== !on;
    button("rest").setAttribute("aria-expanded", String(on));
    return changed;
  };
  const toggleMeasure = (on) => {
    if (question.drawing) question.stop();
    button("measure").setAttribute("aria-pressed", String(measure.toggle(on)));
    return true;
  };
  button("rest").addEventListener("click", () => unfold());
  rail.addEventListener("click", (event) => event.target.closest("[data-panel], [data-tool]:not(.rest)") && unfold(false));
  button("measure").addEventListener("click", () => toggleMeasure());
  button("undo").addEventListener("click", () => measure.undo());
  button("stop").addEventListener("click", () => toggleMeasure(false));
  button("closer").addEventListener("click", () => map.zoomIn());
  button("farther").addEventListener("click", () => map.zoomOut());
  button("whole").addEventListener("click", () => map.fitBounds(viewer.registry.bbox || [20, 41, 180, 78], { padding: 60 }));
  const letters = Object.fromEntries(Object.entries(LETTERS).map(([letter, name]) => [letter, () => panels.toggle(name, undefined, { focus: true }) ?? true]));
  keys({
    search: () => search.input.focus() ?? true,
    letters: { ...letters, M: () => toggleMeasure() },
    escape: () => {
      if (measure.on) return toggleMeasure(false);
      if (question.stop()) return true;
      if (rail.classList.contains("open")) return unfold(false);
      return detail.close() || panels.close();
    },
    enter: () => {
      const { hands } = viewer;
      return hands.busy && hands.take(map.getCenter().wrap().toArray());
    },
  });
}

async function begin() {
  const asked = read();
  const [registry, style] = await Promise.all([Registry.load(), styleOf({ url: settings.basemap, attribution: settings.attribution }), fonts()]);
  const map = new maplibregl.Map({
    container,
    style: nameOnce(style, registry),
    ...start(asked, registry.bbox),
    maxZoom: 20,
    minZoom: 1.5,
    maxPitch: 0,
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    attributionControl: settings.attribution ? { customAttribution: settings.attribution } : false,
    locale: { "Map.Title": t("Map. Arrow keys move it, plus and minus change the scale; the list of objects in view is behind the key O.") },
  });
  hatches(map, registry);
  connection(map);
  await map.once("style.load");
  const viewer = new Viewer({ map, registry, asked });
  const highlight = Highlight.prepare(map);
  const detail = new Detail(viewer, document.getElementById("detail"), highlight, settings.zone);
  const measure = new Measure(map, document.getElementById("measuring"));
  const panels = new Panels(stage);
  viewer.zone = settings.zone;
  const open = (hit) => hit.layer && detail.object(hit, { fly: true });
  const search = new Search(viewer, document.getElementById("search"), (hit) => (hit.layer ? open(hit) : detail.at(hit.place)));
  viewer.draw();
  if (viewer.day || viewer.known) viewer.travel(viewer.day, viewer.known);
  layerTree(viewer, panels.panel("layers"));
  const imagery = new Imagery(viewer, panels.panel("layers"));
  imagery.begin().catch((error) => warn("imagery", explain(error)));
  panels.on("layers", () => imagery.look());
  const question = new Question(viewer, panels.panel("question"), open);
  const conflicts = new Conflicts(viewer, panels.panel("conflicts"), open);
  const totals = new Totals(viewer, panels.panel("totals"));
  const extract = new Extract(viewer, panels.panel("extract"));
  const sheet = new Sheet(viewer, panels.panel("sheet"));
  const time = new Time(viewer, panels.panel("time"), document.getElementById("moment"), open);
  panels.on("conflicts", () => conflicts.load(), () => conflicts.clear());
  panels.on("totals", () => totals.load());
  panels.on("extract", () => extract.draw());
  panels.on("sheet", () => sheet.open(), () => sheet.close());
  panels.on("time", () => time.open(), () => time.close());
  panels.on("question", null, () => question.stop());
  panels.on("objects", inView(viewer, panels.panel("objects"), (o) => open(o)));
  readout(map, { coordinates: document.getElementById("coordinates"), scale: document.getElementById("scale"), north: document.getElementById("north") });
  viewer.hands = new Hands(measure, question);
  press(viewer, detail, viewer.hands);
  tools(viewer, panels, detail, { measure, question }, search);
  if (innerWidth >= 1100) panels.toggle("layers", true);
  if (asked.object) detail.object(asked.object, { fly: !asked.view });
  const words = new URLSearchParams(location.search).get("q");
  if (words) {
    search.input.value = words;
    search.input.focus();
    search.find();
  }
  // The curtain lifts with the first tile; what is still to come draws itself in sight.
  const lift = ({ sourceId, tile }) => {
    if (sourceId !== "mezha" || !tile) return;
    stage.classList.add("ready");
    map.off("sourcedata", lift);
  };
  map.on("sourcedata", lift);
  map.once("idle", () => {
    stage.classList.add("ready");
    window.mezha.ready = true;
  });
  addEventListener("hashchange", () => location.reload());
  Object.assign(window.mezha, { map, viewer });
  announce(t("The map is ready"));
}

window.mezha = { ready: false };
begin().catch((error) => {
  console.error(error);
  stage.classList.add("ready", "failed");
  warn("start", error.kind ? explain(error) : t("The map could not start: this browser draws no WebGL. The registers are there as tables."));
});

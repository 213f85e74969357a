import { showFile } from "./boundary-file.js";
import { REACH, Snapping } from "./snapping.js";

// The map of a case: its object, its boundary, what the rules found, and drawing where the case may be changed.
const place = document.getElementById("map");

function collection(shapes) {
  return { type: "FeatureCollection", features: shapes.filter(Boolean).map((s) => ({ type: "Feature", properties: s.properties || {}, geometry: s.geometry })) };
}

function bounds(geometry) {
  const box = new maplibregl.LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(walk));
  walk(geometry.coordinates);
  return box;
}

async function subjectOf(data) {
  if (!data.subject || !data.subject[0]) return null;
  const answer = await fetch(`/api/v1/objects/${data.subject[0]}/${data.subject[1]}`);
  return answer.ok ? (await answer.json()).geometry : null;
}

function pieceShapes(pieces) {
  return collection(pieces.map((p) => ({ geometry: p.geometry, properties: { rule: p.rule, label: p.label, severity: p.severity } })));
}

const FONT = ["Golos Text Medium", "Golos Text"];

function addLayers(map, data, subject) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const severity = ["match", ["get", "severity"], "block", colour("--error"), "warn", colour("--warning"), colour("--info")];
  const changed = Object.entries(data.change).map(([part, geometry]) => ({ geometry, properties: { part } }));
  map.addSource("subject", { type: "geojson", data: collection([subject && { geometry: subject }]) });
  map.addSource("boundary", { type: "geojson", data: collection([data.boundary && { geometry: data.boundary }]) });
  map.addSource("change", { type: "geojson", data: collection(changed) });
  map.addSource("pieces", { type: "geojson", data: pieceShapes(data.pieces) });
  map.addLayer({ id: "subject-line", type: "line", source: "subject", paint: { "line-color": colour("--accent"), "line-width": 2.5, "line-dasharray": [3, 1] } });
  map.addLayer({ id: "boundary-fill", type: "fill", source: "boundary", paint: { "fill-color": colour("--info"), "fill-opacity": 0.2 } });
  map.addLayer({ id: "change-added", type: "fill", source: "change", filter: ["==", ["get", "part"], "added"], paint: { "fill-color": colour("--accent"), "fill-opacity": 0.45 } });
  map.addLayer({ id: "change-removed", type: "line", source: "change", filter: ["==", ["get", "part"], "removed"], paint: { "line-color": colour("--error"), "line-width": 2, "line-dasharray": [2, 2] } });
  map.addLayer({ id: "boundary-line", type: "line", source: "boundary", paint: { "line-color": colour("--info"), "line-width": 2.5 } });
  map.addLayer({ id: "pieces-fill", type: "fill", source: "pieces", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": severity, "fill-opacity": 0.45 } });
  map.addLayer({ id: "pieces-line", type: "line", source: "pieces", paint: { "line-color": severity, "line-width": 2 } });
  map.addLayer({ id: "pieces-label", type: "symbol", source: "pieces", layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 14 }, paint: { "text-color": severity, "text-halo-color": "#ffffff", "text-halo-width": 2 } });
}

async function put(body) {
  const revision = document.querySelector("#case-form [name=revision]")?.value || place.dataset.revision;
  return fetch(`/api/v1/cases/${place.dataset.case}`, {
    method: "PUT",
    headers: { "content-type": "application/json", "if-match": `"${revision}"`, "x-csrf-token": place.dataset.csrf },
    body: JSON.stringify(body),
  });
}

/** Ask the rules about the draft as it is saved, and show what they found in the list and on the map. */
async function check(map) {
  const answer = await fetch(`/cabinet/cases/${place.dataset.case}/check`, { method: "POST", headers: { "x-csrf-token": place.dataset.csrf } });
  const found = document.getElementById("findings");
  if (!answer.ok || !found) return;
  found.outerHTML = await answer.text();
  map.getSource("pieces").setData(pieceShapes(pieces()));
}

function pieces() {
  return JSON.parse(document.getElementById("findings")?.dataset.pieces || "[]");
}

function tools(map, subject) {
  const buttons = Object.fromEntries([...document.querySelectorAll("[data-draw]")].map((b) => [b.dataset.draw, b]));
  const status = document.getElementById("draw-status");
  if (!buttons.polygon) return;
  const { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } = globalThis.terraDraw;
  const adapter = new globalThis.terraDrawMaplibreGlAdapter.TerraDrawMapLibreGLAdapter({ map });
  let snapping = null;
  const edges = { toCustom: (event) => snapping?.find(event) };
  const flags = { polygon: { feature: { draggable: false, coordinates: { midpoints: true, draggable: true, deletable: true, snappable: edges } } } };
  const draw = new TerraDraw({ adapter, modes: [new TerraDrawPolygonMode({ snapping: edges, pointerDistance: REACH }), new TerraDrawSelectMode({ flags })] });
  const picked = new Set();
  let mode = "";

  const show = (busy) => {
    buttons.save.hidden = buttons.cancel.hidden = !busy;
    buttons.polygon.hidden = buttons.pick.hidden = busy;
  };
  const say = (text, failed) => {
    status.textContent = text;
    status.classList.toggle("error-text", Boolean(failed));
  };
  const drawn = () => draw.getSnapshot().filter((f) => f.geometry.type === "Polygon" && !f.properties.selectionPoint && !f.properties.midPoint).map((f) => f.geometry.coordinates);
  const keep = async (body) => {
    say(place.dataset.checking);
    const answer = await put(body);
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      say(`${place.dataset.failed} ${found.title || ""} ${found.detail || ""}`, true);
      return false;
    }
    document.dispatchEvent(new CustomEvent("case:revision", { detail: found.revision }));
    place.dataset.revision = found.revision;
    await check(map);
    say(place.dataset.checked);
    return true;
  };
  const finish = async (body) => {
    if (!(await keep(body))) return;
    location.hash = "map-section";
    location.reload();
  };

  buttons.polygon.addEventListener("click", () => {
    mode = "polygon";
    snapping ??= new Snapping(map, subject);
    if (!draw.enabled) draw.start();
    draw.setMode("polygon");
    map.getSource("boundary").setData(collection([]));
    say(place.dataset.drawing);
    show(true);
  });
  // Checked while it is drawn: a closed or changed boundary is saved in the draft and the rules are asked at once.
  draw.on("finish", (id, context) => {
    if (context.action === "draw") {
      draw.setMode("select");
      draw.selectFeature(id);
    }
    keep({ drawn: { type: "MultiPolygon", coordinates: drawn() } });
  });
  buttons.pick.addEventListener("click", () => {
    mode = "pick";
    say(place.dataset.picking);
    show(true);
  });
  buttons.cancel.addEventListener("click", () => location.reload());
  buttons.save.addEventListener("click", () => {
    if (mode === "pick") {
      if (picked.size) finish({ picked: { layer: "stands", ids: [...picked] } });
      return;
    }
    if (drawn().length) finish({ drawn: { type: "MultiPolygon", coordinates: drawn() } });
  });
  const chosen = new Map();
  map.addSource("picked", { type: "geojson", data: collection([]) });
  map.addLayer({ id: "picked-fill", type: "fill", source: "picked", paint: { "fill-color": "#2459a6", "fill-opacity": 0.35 } });
  map.on("click", (event) => {
    if (mode !== "pick") return;
    const stand = map.queryRenderedFeatures(event.point).find((f) => f.sourceLayer === "stands");
    if (!stand) return;
    const id = Number(stand.id ?? stand.properties.id);
    if (picked.delete(id)) chosen.delete(id);
    else {
      picked.add(id);
      chosen.set(id, { geometry: stand.geometry });
    }
    map.getSource("picked").setData(collection([...chosen.values()]));
    say(`${place.dataset.picked} ${picked.size}`);
  });
}

async function start() {
  const data = JSON.parse(place.dataset.map);
  const subject = await subjectOf(data);
  const map = new maplibregl.Map({ container: place, style: "/tiles/style.json", attributionControl: false, fadeDuration: 0, cooperativeGestures: true, locale: JSON.parse(place.dataset.words) });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }));
  const area = data.boundary || subject;
  if (area) map.fitBounds(bounds(area), { padding: 48, duration: 0, maxZoom: 15 });
  map.on("load", () => {
    addLayers(map, data, subject);
    if (place.dataset.editable === "true") {
      tools(map, subject);
      if (data.boundary) check(map);
    }
    showFile(map);
    document.addEventListener("htmx:afterSwap", () => showFile(map));
    place.dataset.ready = "true";
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-piece]");
    const piece = button && pieces().find((p) => p.rule === button.dataset.piece);
    if (!piece) return;
    map.fitBounds(bounds(piece.geometry), { padding: 80, maxZoom: 17 });
    place.scrollIntoView({ block: "center" });
  });
}

if (place) start();

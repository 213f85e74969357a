import { showFile } from "./boundary-file.js";

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

function addLayers(map, data, subject) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  map.addSource("subject", { type: "geojson", data: collection([subject && { geometry: subject }]) });
  map.addSource("boundary", { type: "geojson", data: collection([data.boundary && { geometry: data.boundary }]) });
  map.addSource("pieces", { type: "geojson", data: collection(data.pieces.map((p) => ({ geometry: p.geometry, properties: { rule: p.rule } }))) });
  map.addLayer({ id: "subject-line", type: "line", source: "subject", paint: { "line-color": colour("--accent"), "line-width": 2.5, "line-dasharray": [3, 1] } });
  map.addLayer({ id: "boundary-fill", type: "fill", source: "boundary", paint: { "fill-color": colour("--info"), "fill-opacity": 0.2 } });
  map.addLayer({ id: "boundary-line", type: "line", source: "boundary", paint: { "line-color": colour("--info"), "line-width": 2.5 } });
  map.addLayer({ id: "pieces-fill", type: "fill", source: "pieces", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("--error"), "fill-opacity": 0.45 } });
  map.addLayer({ id: "pieces-line", type: "line", source: "pieces", paint: { "line-color": colour("--error"), "line-width": 2 } });
}

async function put(body) {
  const revision = document.querySelector("#case-form [name=revision]")?.value || place.dataset.revision;
  return fetch(`/api/v1/cases/${place.dataset.case}`, {
    method: "PUT",
    headers: { "content-type": "application/json", "if-match": `"${revision}"`, "x-csrf-token": place.dataset.csrf },
    body: JSON.stringify(body),
  });
}

function tools(map) {
  const buttons = Object.fromEntries([...document.querySelectorAll("[data-draw]")].map((b) => [b.dataset.draw, b]));
  const status = document.getElementById("draw-status");
  if (!buttons.polygon) return;
  const { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } = globalThis.terraDraw;
  const adapter = new globalThis.terraDrawMaplibreGlAdapter.TerraDrawMapLibreGLAdapter({ map });
  const draw = new TerraDraw({ adapter, modes: [new TerraDrawPolygonMode({ snapping: { toCoordinate: true } }), new TerraDrawSelectMode()] });
  const picked = new Set();
  let mode = "";

  const show = (busy) => {
    buttons.save.hidden = buttons.cancel.hidden = !busy;
    buttons.polygon.hidden = buttons.pick.hidden = busy;
  };
  const send = async (body) => {
    const answer = await put(body);
    if (answer.ok) {
      location.hash = "map-section";
      location.reload();
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    status.textContent = `${place.dataset.failed} ${problem.title || ""} ${problem.detail || ""}`;
  };
  buttons.polygon.addEventListener("click", () => {
    mode = "polygon";
    if (!draw.enabled) draw.start();
    draw.setMode("polygon");
    show(true);
  });
  buttons.pick.addEventListener("click", () => {
    mode = "pick";
    show(true);
  });
  buttons.cancel.addEventListener("click", () => location.reload());
  buttons.save.addEventListener("click", () => {
    if (mode === "pick") {
      if (picked.size) send({ picked: { layer: "stands", ids: [...picked] } });
      return;
    }
    const polygons = draw.getSnapshot().filter((f) => f.geometry.type === "Polygon").map((f) => f.geometry.coordinates);
    if (polygons.length) send({ drawn: { type: "MultiPolygon", coordinates: polygons } });
  });
  map.on("click", (event) => {
    if (mode !== "pick") return;
    const stand = map.queryRenderedFeatures(event.point).find((f) => f.sourceLayer === "stands");
    if (!stand) return;
    const id = Number(stand.id ?? stand.properties.id);
    if (!picked.delete(id)) picked.add(id);
    status.textContent = [...picked].length;
  });
}

async function start() {
  const data = JSON.parse(place.dataset.map);
  const subject = await subjectOf(data);
  const map = new maplibregl.Map({ container: place, style: "/tiles/style.json", attributionControl: false, cooperativeGestures: true });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }));
  const area = data.boundary || subject;
  if (area) map.fitBounds(bounds(area), { padding: 48, duration: 0, maxZoom: 15 });
  map.on("load", () => {
    addLayers(map, data, subject);
    if (place.dataset.editable === "true") tools(map);
    showFile(map);
    document.addEventListener("htmx:afterSwap", () => showFile(map));
    place.dataset.ready = "true";
  });
  for (const button of document.querySelectorAll("[data-piece]")) {
    button.addEventListener("click", () => {
      const piece = data.pieces.find((p) => p.rule === button.dataset.piece);
      if (piece) map.fitBounds(bounds(piece.geometry), { padding: 80, maxZoom: 17 });
      place.scrollIntoView({ block: "center" });
    });
  }
}

if (place) start();

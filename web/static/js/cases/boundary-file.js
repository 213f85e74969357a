// A file with a boundary that waits for an answer: its areas to tick on the map, or the place where it is broken.
const SOURCE = "file-areas";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function areas(choices) {
  return {
    type: "FeatureCollection",
    features: choices
      .filter((c) => c.geometry)
      .map((c) => ({ type: "Feature", id: c.number, properties: { number: c.number }, geometry: JSON.parse(c.geometry) })),
  };
}

function add(map) {
  map.addSource(SOURCE, { type: "geojson", data: areas([]) });
  map.addLayer({ id: "file-fill", type: "fill", source: SOURCE, paint: { "fill-color": colour("--warning"), "fill-opacity": ["case", ["boolean", ["feature-state", "ticked"], false], 0.5, 0.12] } });
  map.addLayer({ id: "file-line", type: "line", source: SOURCE, paint: { "line-color": colour("--warning"), "line-width": 2 } });
  map.addLayer({ id: "file-number", type: "symbol", source: SOURCE, layout: { "text-field": ["to-string", ["get", "number"]], "text-font": ["Golos Text Medium", "Golos Text"], "text-size": 14 }, paint: { "text-color": colour("--ink"), "text-halo-color": colour("--surface"), "text-halo-width": 1.5 } });
  map.on("click", "file-fill", (event) => {
    const box = document.querySelector(`#boundary-file [name=contours][value="${event.features[0].id}"]`);
    if (box) {
      box.checked = !box.checked;
      tick(map, box);
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "contours") tick(map, event.target);
  });
}

function tick(map, box) {
  map.setFeatureState({ source: SOURCE, id: Number(box.value) }, { ticked: box.checked });
}

function bounds(features) {
  const box = new maplibregl.LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(walk));
  for (const feature of features) walk(feature.geometry.coordinates);
  return box;
}

let mark = null;

/** Draw what the file asks about; nothing where it asks nothing. */
export function showFile(map) {
  const file = document.getElementById("boundary-file");
  const choices = file ? JSON.parse(file.dataset.choices) : [];
  const data = areas(choices);
  if (!map.getSource(SOURCE)) {
    if (!data.features.length) return;
    add(map);
  }
  map.getSource(SOURCE).setData(data);
  if (data.features.length) map.fitBounds(bounds(data.features), { padding: 48, duration: 0, maxZoom: 16 });
  const where = file ? JSON.parse(file.dataset.place) : null;
  mark?.remove();
  mark = where ? new maplibregl.Marker({ color: colour("--error") }).setLngLat(where).addTo(map) : null;
}

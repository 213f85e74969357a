// What is mine, on the map: every lease, licence and site of the parties, beside their list.
const place = document.getElementById("mine-map");
const COLOURS = { leases: "#1f6f54", licences: "#8a5a2b", waste_sites: "#6b4fa0" };

async function held(layer, inn) {
  const answer = await fetch(`/ogc/collections/${layer}/items?f=json&limit=500&holder_inn=${inn}`);
  const found = answer.ok ? (await answer.json()).features : [];
  return found.filter((f) => f.geometry).map((f) => ({ type: "Feature", properties: { layer, number: f.properties.number || f.properties.name || "", object: f.id }, geometry: f.geometry }));
}

function bounds(features) {
  const box = new maplibregl.LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(walk));
  for (const feature of features) walk(feature.geometry.coordinates);
  return box;
}

// The ground to find one's way by; what belongs to others would only hide what is mine.
const GROUND = new Set(["municipalities", "forestries", "quarters"]);

function quieten(map) {
  for (const layer of map.getStyle().layers) {
    if (layer["source-layer"] && !GROUND.has(layer["source-layer"])) map.setLayoutProperty(layer.id, "visibility", "none");
  }
}

function paint(map, features) {
  const colour = ["match", ["get", "layer"], ...Object.entries(COLOURS).flat(), "#2459a6"];
  const dashed = { leases: ["literal", [1, 0]], licences: ["literal", [3, 1.5]] };
  map.addSource("mine", { type: "geojson", data: { type: "FeatureCollection", features } });
  map.addLayer({ id: "mine-fill", type: "fill", source: "mine", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.3 } });
  for (const layer of ["leases", "licences"]) {
    map.addLayer({ id: `mine-${layer}`, type: "line", source: "mine", filter: ["==", ["get", "layer"], layer], paint: { "line-color": COLOURS[layer], "line-width": 2.5, "line-dasharray": dashed[layer] } });
  }
  map.addLayer({ id: "mine-point", type: "circle", source: "mine", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": colour, "circle-radius": 6, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5 } });
  map.addLayer({ id: "mine-number", type: "symbol", source: "mine", minzoom: 9, layout: { "text-field": ["get", "number"], "text-font": ["Golos Text Medium", "Golos Text"], "text-size": 13 }, paint: { "text-color": colour, "text-halo-color": "#ffffff", "text-halo-width": 1.8 } });
  map.on("click", (event) => {
    const hit = map.queryRenderedFeatures(event.point, { layers: ["mine-fill", "mine-point"] })[0];
    if (hit) location.href = `/map?object=${hit.properties.layer}:${hit.properties.object}`;
  });
}

async function start() {
  const data = JSON.parse(place.dataset.mine);
  const found = await Promise.all(data.layers.flatMap((layer) => data.inns.map((inn) => held(layer, inn))));
  const features = found.flat();
  const map = new maplibregl.Map({ container: place, style: "/tiles/style.json", attributionControl: false, fadeDuration: 0, cooperativeGestures: true, locale: JSON.parse(place.dataset.words) });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }));
  if (features.length) map.fitBounds(bounds(features), { padding: 40, duration: 0, maxZoom: 14 });
  map.on("load", () => {
    quieten(map);
    paint(map, features);
    place.dataset.ready = "true";
  });
  // A line of the list points at its object: looking is enough, a click opens it on the large map.
  for (const link of document.querySelectorAll("[data-box]")) {
    const show = () => {
      const [west, south, east, north] = link.dataset.box.split(",").map(Number);
      map.fitBounds([[west, south], [east, north]], { padding: 60, maxZoom: 13, duration: 400 });
    };
    link.addEventListener("focus", show);
    link.addEventListener("mouseenter", show);
  }
}

if (place) start();

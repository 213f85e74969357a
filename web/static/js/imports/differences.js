// The changes of an import on a plain map: what is won, lost, gone and new.
const GREEN = "#1f8a4c";
const RED = "#b3261e";

function bounds(features) {
  const box = new maplibregl.LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(walk));
  features.forEach((feature) => walk(feature.geometry.coordinates));
  return box;
}

async function draw(element) {
  element.dataset.drawn = "yes";
  const answer = await fetch(element.dataset.source);
  const { features } = await answer.json();
  if (!features.length) {
    element.remove();
    return;
  }
  maplibregl.setWorkerUrl("/lib/maplibre/maplibre-gl-csp-worker.js");
  const colour = ["match", ["get", "kind"], ["added", "new"], GREEN, RED];
  const map = new maplibregl.Map({
    container: element,
    attributionControl: false,
    fadeDuration: 0,
    locale: JSON.parse(element.dataset.words),
    bounds: bounds(features),
    fitBoundsOptions: { padding: 40, maxZoom: 15 },
    style: {
      version: 8,
      sources: { changes: { type: "geojson", data: { type: "FeatureCollection", features } } },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": "#eef1ea" } },
        { id: "fill", type: "fill", source: "changes", paint: { "fill-color": colour, "fill-opacity": 0.25 } },
        { id: "line", type: "line", source: "changes", paint: { "line-color": colour, "line-width": 1.5 } },
      ],
    },
  });
  map.addControl(new maplibregl.ScaleControl());
}

function drawNew() {
  const element = document.getElementById("changes-map");
  if (element && !element.dataset.drawn) draw(element);
}

drawNew();
document.body.addEventListener("htmx:afterSwap", drawNew);

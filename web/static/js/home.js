// The home page: a quiet picture of the region from the same tiles and symbols as the map, and symbols beside the counts.

import { base } from "./map/base.js";
import { Registry, ask } from "./map/registry.js";
import { symbol } from "./map/symbol.js";

window.mezha = { ready: false };
const picture = document.getElementById("region");
const DRAWN = ["municipalities", "forestries", "stands", "leases", "licences", "deposits", "waste_sites"];
maplibregl.setWorkerUrl("/lib/maplibre/maplibre-gl-csp-worker.js");

const registry = await Registry.load();
for (const place of document.querySelectorAll(".symbol[data-layer]")) {
  const layer = registry.get(place.dataset.layer);
  if (layer) place.replaceChildren(symbol(layer));
}

if (!registry.bbox) window.mezha.ready = true;
else {
  const [registers, ground] = await Promise.all([ask("/tiles/style.json"), base({})]);
  const drawn = registers.layers.filter((layer) => DRAWN.includes(layer["source-layer"]) && layer.type !== "symbol");
  const map = new maplibregl.Map({
    container: picture,
    style: { version: 8, sources: { ...ground.sources, ...registers.sources }, layers: [...ground.layers, ...drawn] },
    bounds: registry.bbox,
    fitBoundsOptions: { padding: 24 },
    interactive: false,
    attributionControl: false,
    fadeDuration: 0,
  });
  map.once("idle", () => {
    picture.classList.add("drawn");
    window.mezha.ready = true;
  });
}

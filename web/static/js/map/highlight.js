// The halo of the selected object: white, ink and a yellow that no legend uses.

const EMPTY = { type: "FeatureCollection", features: [] };
const wide = (w) => ["interpolate", ["linear"], ["zoom"], 6, w * 0.7, 14, w];

export class Highlight {
  constructor(map) {
    this.map = map;
    map.addSource("selected", { type: "geojson", data: EMPTY });
    const line = (id, colour, width, opacity = 1) => map.addLayer({ id, type: "line", source: "selected", filter: ["!=", ["geometry-type"], "Point"], layout: { "line-join": "round" }, paint: { "line-color": colour, "line-width": wide(width), "line-opacity": opacity } });
    map.addLayer({ id: "selected-fill", type: "fill", source: "selected", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#ffe14d", "fill-opacity": 0.14 } });
    line("selected-halo", "#ffffff", 10, 0.85);
    line("selected-ink", "#17211c", 5.5);
    line("selected-core", "#ffe14d", 3);
    map.addLayer({ id: "selected-point", type: "circle", source: "selected", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 13, "circle-color": "#ffe14d", "circle-opacity": 0.25, "circle-stroke-color": "#17211c", "circle-stroke-width": 2.5 } });
    map.addLayer({ id: "selected-corners", type: "circle", source: "corners", minzoom: 13, paint: { "circle-radius": 3, "circle-color": "#ffffff", "circle-stroke-color": "#17211c", "circle-stroke-width": 1.5 } });
    map.addLayer({ id: "selected-numbers", type: "symbol", source: "corners", minzoom: 14.5, layout: { "text-field": ["get", "number"], "text-font": ["Golos Text Medium", "Golos Text"], "text-size": 12, "text-anchor": "bottom-left", "text-offset": [0.4, -0.2] }, paint: { "text-color": "#17211c", "text-halo-color": "#ffffff", "text-halo-width": 1.6 } });
  }

  show(feature, corners) {
    this.map.getSource("selected").setData(feature || EMPTY);
    this.map.getSource("corners").setData({
      type: "FeatureCollection",
      features: (corners || []).map(({ number, place }) => ({ type: "Feature", properties: { number: String(number) }, geometry: { type: "Point", coordinates: place } })),
    });
  }

  static prepare(map) {
    map.addSource("corners", { type: "geojson", data: EMPTY });
    return new Highlight(map);
  }
}

// The sketch: places put on the map one after another, shown as a line and the polygon that it would enclose.
// Places can be dragged; a finished shape of any kind can be shown instead of places.

const FEATURE = (type, coordinates, properties = {}) => ({ type: "Feature", properties, geometry: { type, coordinates } });

export class Sketch {
  constructor(map, name, { colour = "#2459a6", changed = () => {} } = {}) {
    Object.assign(this, { map, name, changed, points: [], shape: null, on: false });
    map.addSource(name, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    const layer = (part, type, kind, paint) => map.addLayer({ id: `${name}-${part}`, type, source: name, filter: ["==", ["geometry-type"], kind], paint });
    layer("area", "fill", "Polygon", { "fill-color": colour, "fill-opacity": 0.12 });
    layer("ground", "line", "Polygon", { "line-color": "#ffffff", "line-width": 5.5, "line-opacity": 0.9 });
    layer("edge", "line", "Polygon", { "line-color": colour, "line-width": 2.5, "line-dasharray": [2, 1.5] });
    layer("casing", "line", "LineString", { "line-color": "#ffffff", "line-width": 6 });
    layer("line", "line", "LineString", { "line-color": colour, "line-width": 2.5 });
    layer("points", "circle", "Point", { "circle-radius": 5, "circle-color": "#ffffff", "circle-stroke-color": colour, "circle-stroke-width": 2.5 });
    this.dragging();
  }

  // A place is moved by the pointer or a finger; the map stays where it is meanwhile.
  dragging() {
    const { map } = this;
    const begin = (event) => {
      if (!this.on || event.points?.length > 1) return;
      const held = event.features[0].properties.index;
      event.preventDefault();
      const move = ({ lngLat }) => {
        this.points[held] = lngLat.wrap().toArray();
        this.draw();
      };
      const [moving, ending] = event.type === "touchstart" ? ["touchmove", "touchend"] : ["mousemove", "mouseup"];
      map.on(moving, move);
      map.once(ending, () => map.off(moving, move));
    };
    map.on("mousedown", `${this.name}-points`, begin);
    map.on("touchstart", `${this.name}-points`, begin);
  }

  // Begins anew, or ends and forgets the places.
  toggle(on) {
    this.on = on;
    this.map.getCanvas().style.cursor = on ? "crosshair" : "";
    this.map.doubleClickZoom[on ? "disable" : "enable"]();
    this.points = [];
    this.draw();
  }

  add(place) {
    const last = this.points.at(-1);
    if (last && last[0] === place[0] && last[1] === place[1]) return;
    this.points.push(place);
    this.draw();
  }

  undo() {
    this.points.pop();
    this.draw();
  }

  polygon() {
    return this.points.length > 2 ? { type: "Polygon", coordinates: [[...this.points, this.points[0]]] } : null;
  }

  // A finished shape, or none.
  show(shape) {
    this.shape = shape;
    this.draw();
  }

  draw() {
    const { points } = this;
    const features = points.map((place, index) => FEATURE("Point", place, { index }));
    if (points.length > 1) features.unshift(FEATURE("LineString", points));
    const drawn = this.on ? this.polygon() : this.shape;
    if (drawn) features.unshift({ type: "Feature", properties: {}, geometry: drawn });
    this.map.getSource(this.name).setData({ type: "FeatureCollection", features });
    this.changed(points);
  }
}

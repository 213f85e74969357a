// Measuring: a line along the places pressed, and the area it would enclose; on the ellipsoid.

import { announce } from "./announcer.js";
import { element } from "./element.js";
import { pathLength, ringArea } from "./geodesy.js";
import { area, distance, t } from "./language.js";

export class Measure {
  constructor(map, box) {
    this.map = map;
    this.box = box;
    this.points = [];
    this.on = false;
    const empty = { type: "FeatureCollection", features: [] };
    map.addSource("measure", { type: "geojson", data: empty });
    map.addLayer({ id: "measure-area", type: "fill", source: "measure", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#2459a6", "fill-opacity": 0.12 } });
    map.addLayer({ id: "measure-casing", type: "line", source: "measure", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": "#ffffff", "line-width": 6 } });
    map.addLayer({ id: "measure-line", type: "line", source: "measure", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": "#2459a6", "line-width": 2.5 } });
    map.addLayer({ id: "measure-points", type: "circle", source: "measure", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 4.5, "circle-color": "#ffffff", "circle-stroke-color": "#2459a6", "circle-stroke-width": 2.5 } });
  }

  toggle(on = !this.on) {
    this.on = on;
    this.map.getCanvas().style.cursor = on ? "crosshair" : "";
    this.map.doubleClickZoom[on ? "disable" : "enable"]();
    this.box.hidden = !on;
    this.points = [];
    this.draw();
    if (on) announce(t("Measuring: press places on the map, or Enter for its centre; Escape ends"));
    return on;
  }

  add(place) {
    const last = this.points.at(-1);
    if (last && last[0] === place[0] && last[1] === place[1]) return;
    this.points.push(place);
    this.draw();
    announce(this.words());
  }

  undo() {
    this.points.pop();
    this.draw();
  }

  words() {
    const { points } = this;
    const parts = [`${t("Length")} ${distance(pathLength(points))}`];
    if (points.length > 2) parts.push(`${t("area")} ${area(ringArea(points))}`);
    return parts.join(", ");
  }

  draw() {
    const { points } = this;
    const feature = (type, coordinates) => ({ type: "Feature", properties: {}, geometry: { type, coordinates } });
    const features = points.map((p) => feature("Point", p));
    if (points.length > 1) features.unshift(feature("LineString", points));
    if (points.length > 2) features.unshift(feature("Polygon", [[...points, points[0]]]));
    this.map.getSource("measure").setData({ type: "FeatureCollection", features });
    const figure = (title, text) => element("div", {}, element("span", { class: "kind" }, title), element("strong", { class: "number" }, text));
    this.box.querySelector(".figures").replaceChildren(
      ...(points.length < 2
        ? [element("p", { class: "hint" }, points.length ? t("Press the next place.") : t("Press the first place on the map."))]
        : [figure(t("Length"), distance(pathLength(points))), ...(points.length > 2 ? [figure(t("Area"), area(ringArea(points))), figure(t("Perimeter"), distance(pathLength([...points, points[0]])))] : [])]),
    );
  }
}

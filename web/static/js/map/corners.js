// Corner points of an object, numbered as in a boundary description: ring after ring, the closing point not repeated.

import { element } from "./element.js";
import { number, t, tn } from "./language.js";

const MOST = 300;

export function cornersOf(geometry) {
  if (!geometry) return [];
  if (geometry.type === "Point") return [{ number: 1, ring: 1, place: geometry.coordinates }];
  const rings = geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
  let count = 0;
  return rings.flatMap((ring, i) => ring.slice(0, -1).map((place) => ({ number: (count += 1), ring: i + 1, place })));
}

export function bboxOf(geometry) {
  const corners = cornersOf(geometry).map((corner) => corner.place);
  if (!corners.length) return null;
  const [lons, lats] = [corners.map((p) => p[0]), corners.map((p) => p[1])];
  const least = (list) => list.reduce((a, b) => Math.min(a, b));
  const most = (list) => list.reduce((a, b) => Math.max(a, b));
  return [least(lons), least(lats), most(lons), most(lats)];
}

export function cornerTable(corners) {
  const shown = corners.slice(0, MOST);
  const several = corners.at(-1)?.ring > 1;
  const row = ({ number: n, ring, place }) =>
    element("tr", {}, element("td", { class: "number" }, String(n)), several && element("td", { class: "number" }, String(ring)), element("td", { class: "number" }, number(place[1], 7)), element("td", { class: "number" }, number(place[0], 7)));
  return element(
    "details",
    { class: "part" },
    element("summary", {}, tn("%(count)s corner point", "%(count)s corner points", corners.length)),
    element("p", { class: "hint" }, t("WGS 84, degrees (EPSG:4326)")),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Corner points") },
      element(
        "table",
        { class: "dense" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col", class: "number" }, t("No.")), several && element("th", { scope: "col", class: "number" }, t("ring")), element("th", { scope: "col", class: "number" }, t("latitude")), element("th", { scope: "col", class: "number" }, t("longitude")))),
        element("tbody", {}, shown.map(row)),
      ),
    ),
    corners.length > MOST && element("p", { class: "hint" }, t("The first %(count)s are listed; the GeoJSON file has all of them.", { count: number(MOST, 0) })),
  );
}

// Measuring: a line along the places pressed, and the area it would enclose; on the ellipsoid.

import { announce } from "./announcer.js";
import { element } from "./element.js";
import { pathLength, ringArea } from "./geodesy.js";
import { area, distance, t } from "./language.js";
import { Sketch } from "./sketch.js";

export class Measure {
  constructor(map, box) {
    this.box = box;
    this.sketch = new Sketch(map, "measure", { changed: () => this.tell() });
  }

  get on() {
    return this.sketch.on;
  }

  toggle(on = !this.on) {
    this.box.hidden = !on;
    this.sketch.toggle(on);
    if (on) announce(t("Measuring: press places on the map, or Enter for its centre; Escape ends"));
    return on;
  }

  add(place) {
    this.sketch.add(place);
    announce(this.words());
  }

  undo() {
    this.sketch.undo();
  }

  words() {
    const { points } = this.sketch;
    const parts = [`${t("Length")} ${distance(pathLength(points))}`];
    if (points.length > 2) parts.push(`${t("area")} ${area(ringArea(points))}`);
    return parts.join(", ");
  }

  tell() {
    const { points } = this.sketch || { points: [] };
    const figure = (title, text) => element("div", {}, element("span", { class: "kind" }, title), element("strong", { class: "number" }, text));
    this.box.querySelector(".figures").replaceChildren(
      ...(points.length < 2
        ? [element("p", { class: "hint" }, points.length ? t("Press the next place.") : t("Press the first place on the map."))]
        : [figure(t("Length"), distance(pathLength(points))), ...(points.length > 2 ? [figure(t("Area"), area(ringArea(points))), figure(t("Perimeter"), distance(pathLength([...points, points[0]])))] : [])]),
    );
  }
}

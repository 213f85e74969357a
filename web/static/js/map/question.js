// Draw and ask: a polygon drawn, uploaded or taken from an object; what it cuts, layer by layer, in hectares and shares.

import { announce } from "./announcer.js";
import { bboxOf } from "./corners.js";
import { element, icon, refill } from "./element.js";
import { area, locale, number, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { Sketch } from "./sketch.js";
import { standingList } from "./standing.js";
import { symbol } from "./symbol.js";

const MOST = 60;
const WAIT = 1000;

function share(value) {
  return value === null ? "" : `${number(value * 100, value < 0.01 ? 2 : 1)} %`;
}

export class Question {
  constructor(viewer, panel, open) {
    Object.assign(this, { viewer, panel, open, drawing: false });
    this.body = panel.querySelector(".panel-body");
    this.sketch = new Sketch(viewer.map, "question", { changed: (points) => this.drawing && this.steps(points) });
    this.start();
  }

  // The ways to a polygon, with a word of what went wrong with the last one.
  start(trouble = "") {
    const file = element("input", { type: "file", id: "question-file", accept: ".geojson,.json,.gpkg,.zip", class: "visually-hidden", onchange: () => this.upload(file.files[0]) });
    const object = element("button", { class: "button secondary", type: "button", "data-act": "object", onclick: () => this.take() }, icon("target"), t("Take the selected object"));
    object.disabled = !this.viewer.object;
    this.viewer.addEventListener("object", () => (object.disabled = !this.viewer.object));
    refill(
      this.body,
      element("p", {}, t("Give a polygon and see which rights, zones and stands it touches, with the common area of each.")),
      trouble && element("div", { class: "notice error", role: "alert" }, element("p", {}, trouble)),
      element(
        "div",
        { class: "choices" },
        element("button", { class: "button", type: "button", "data-act": "draw", onclick: () => this.draw() }, icon("draw"), t("Draw on the map")),
        element("label", { class: "button secondary", for: "question-file" }, icon("upload"), t("Upload a file")),
        file,
        object,
      ),
      element("p", { class: "hint" }, t("GeoJSON, GeoPackage, or a Shapefile in a zip archive.")),
    );
  }

  draw() {
    this.viewer.enclose(null);
    this.sketch.show(null);
    this.drawing = true;
    this.sketch.toggle(true);
    announce(t("Drawing: press the corners on the map, or Enter for its centre; then choose Done"));
  }

  steps(points) {
    const done = element("button", { class: "button", type: "button", "data-act": "done", onclick: () => this.done() }, t("Done"));
    done.disabled = points.length < 3;
    refill(
      this.body,
      element("p", {}, points.length ? tn("%(count)s corner", "%(count)s corners", points.length) : t("Press the corners of the polygon on the map. Corners can be dragged.")),
      element("div", { class: "buttons" }, done, element("button", { class: "button secondary", type: "button", onclick: () => this.sketch.undo() }, t("Undo")), element("button", { class: "button quiet", type: "button", onclick: () => this.stop() }, t("Cancel"))),
    );
  }

  add(place) {
    this.sketch.add(place);
    announce(tn("%(count)s corner", "%(count)s corners", this.sketch.points.length));
  }

  // Whether there was a drawing to end.
  stop() {
    if (!this.drawing) return false;
    this.drawing = false;
    this.sketch.toggle(false);
    this.start();
    return true;
  }

  done() {
    const shape = this.sketch.polygon();
    this.drawing = false;
    this.sketch.toggle(false);
    return shape ? this.about(shape) : this.start();
  }

  async take() {
    const { layer, id } = this.viewer.object;
    const feature = await ask(`/api/v1/objects/${layer}/${id}`);
    if (/Polygon$/.test(feature.geometry?.type)) this.about(feature.geometry);
    else this.start(t("This object has no boundary: choose one that is a polygon."));
  }

  async upload(file) {
    if (!file) return;
    this.wait();
    try {
      const feature = await ask("/api/v1/spatial/shape", this.signal, { body: file });
      this.viewer.fly(bboxOf(feature.geometry), { side: "left" });
      await this.about(feature.geometry);
    } catch (error) {
      this.start(error.kind === "refused" ? error.words : explain(error));
    }
  }

  wait(words = "") {
    this.request?.abort();
    this.request = new AbortController();
    this.signal = this.request.signal;
    refill(this.body, words && element("p", {}, words), ...[90, 60, 75, 40].map((width) => element("span", { class: `skeleton w${width}` })));
  }

  async about(shape) {
    this.sketch.show(shape);
    this.viewer.enclose(shape);
    this.wait();
    const when = this.viewer.when("?");
    try {
      const answer = await ask(`/api/v1/spatial/intersect${when}`, this.signal, { body: JSON.stringify(shape) });
      if (answer.question) await this.follow(answer);
      else this.tell(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.sketch.show(null);
      this.viewer.enclose(null);
      this.start(error.kind === "refused" ? error.words : explain(error));
    }
  }

  // A question that became a job: its progress, then its sums and the file with every object.
  async follow({ question, status }) {
    const bar = element("progress", { max: 1, value: 0, "aria-label": t("Progress") });
    const cancel = element("button", { class: "button secondary", type: "button" }, t("Cancel"));
    const { signal } = this;
    const address = `/api/v1/spatial/questions/${question}`;
    cancel.addEventListener("click", () => fetch(address, { method: "DELETE" }));
    refill(this.body, element("p", {}, t("The question is big: it is answered in the background.")), bar, element("div", { class: "buttons" }, cancel));
    let state = { status };
    while (["waiting", "running"].includes(state.status)) {
      await new Promise((next) => setTimeout(next, WAIT));
      state = await ask(address, signal);
      bar.value = state.progress || 0;
    }
    if (state.status !== "done") return this.start(state.status === "failed" ? t("The question could not be answered. Ask a smaller one.") : "");
    const { layers } = state.answer;
    const sums = Object.entries(layers).filter(([, one]) => one.hits).map(([name, one]) => element("tr", {}, element("th", { scope: "row" }, this.viewer.registry.title(name)), element("td", { class: "number" }, number(one.hits, 0)), element("td", { class: "number" }, number(one.overlap_ha, 2))));
    const head = element("thead", {}, element("tr", {}, [t("Layer"), t("Objects"), t("Common, ha")].map((word, i) => element("th", { scope: "col", class: i ? "number" : null }, word))));
    const file = element("a", { class: "button secondary small", href: `${address}/file`, download: true }, icon("download"), t("Every object (GeoParquet)"));
    refill(this.body, element("div", { class: "scroll" }, element("table", { class: "dense" }, head, element("tbody", {}, sums))), element("div", { class: "buttons" }, file), standingList(this.viewer.registry, layers), this.again());
    return undefined;
  }

  again() {
    return element("div", { class: "buttons" }, element("button", { class: "button secondary small", type: "button", "data-act": "again", onclick: () => this.clear() }, t("Another polygon")));
  }

  clear() {
    this.sketch.show(null);
    this.viewer.enclose(null);
    this.start();
  }

  tell(answer) {
    const { registry } = this.viewer;
    const groups = registry.layers.map((layer) => [layer, answer.objects.filter((o) => o.layer === layer.name)]).filter(([, found]) => found.length);
    const words = tn("%(count)s object is touched", "%(count)s objects are touched", answer.objects.length);
    announce(words);
    const size = element("div", { class: "size" }, element("div", {}, element("span", { class: "kind" }, t("Area of the polygon")), element("strong", { class: "number" }, area(answer.area_ha * 10000)), element("span", { class: "hint" }, t("on the WGS 84 ellipsoid"))), element("div", {}, element("span", { class: "kind" }, t("Touched")), element("strong", { class: "number" }, number(answer.objects.length, 0))));
    refill(this.body, size, standingList(registry, answer.layers), ...groups.map(([layer, found], i) => this.group(layer, found, i < 3)), this.again());
  }

  group(layer, found, open) {
    const common = found.reduce((sum, o) => sum + (o.overlap_ha || 0), 0);
    const row = (o) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, element("button", { class: "link", type: "button", "data-object": `${o.layer}/${o.id}`, onclick: () => this.open(o) }, o.title || t("without number"))),
        element("td", { class: "number" }, o.overlap_ha === null ? "" : number(o.overlap_ha, o.overlap_ha < 1 ? 4 : 2)),
        element("td", { class: "number" }, share(o.share_of_object)),
        element("td", { class: "number" }, share(o.share_of_question)),
      );
    const heads = layer.geometry === "POINT" ? [t("Object")] : [t("Object"), t("ha"), t("of it"), t("of the polygon")];
    return element(
      "details",
      { class: "part", open },
      element("summary", {}, symbol(layer), element("span", {}, `${layer.title[locale]} · ${number(found.length, 0)}`), common > 0 && layer.group !== "base" && element("span", { class: "muted number" }, area(common * 10000))),
      element("div", { class: "scroll" }, element("table", { class: "dense" }, element("thead", {}, element("tr", {}, heads.map((word, i) => element("th", { scope: "col", class: i ? "number" : null }, word)))), element("tbody", {}, found.slice(0, MOST).map(row)))),
      found.length > MOST && element("p", { class: "hint" }, t("The first %(first)s of %(all)s, largest first.", { first: MOST, all: number(found.length, 0) })),
    );
  }
}

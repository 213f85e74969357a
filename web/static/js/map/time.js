// Time: the day whose rights are drawn, the instant whose knowledge is drawn, and what the registers changed since.

import { announce } from "./announcer.js";
import { bboxOf } from "./corners.js";
import { drawing, element, refill } from "./element.js";
import { day, locale, number, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { symbol } from "./symbol.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const KINDS = { new: () => t("new"), changed: () => t("changed"), gone: () => t("removed") };
const SHAPES = { new: "good", changed: "busy", gone: "bad" };
const COLOURS = ["match", ["get", "kind"], "new", "#1f6f54", "gone", "#b3261e", "#2459a6"];

// The end of a day in a zone, as an instant: what was known in the evening.
export function evening(date, zone) {
  const next = new Date(`${date}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  const there = new Date(next.toLocaleString("en-US", { timeZone: zone })) - new Date(next.toLocaleString("en-US", { timeZone: "UTC" }));
  return new Date(next.getTime() - there).toISOString().replace(".000", "");
}

export class Time {
  constructor(viewer, panel, chip, open) {
    Object.assign(this, { viewer, panel, chip, choose: open, days: null });
    this.body = panel.querySelector(".panel-body");
    this.today = new Date().toLocaleDateString("sv", { timeZone: viewer.zone });
    const { map } = viewer;
    map.addSource("changes", { type: "geojson", data: EMPTY });
    map.addLayer({ id: "changes-area", type: "fill", source: "changes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": COLOURS, "fill-opacity": 0.22 } });
    map.addLayer({ id: "changes-casing", type: "line", source: "changes", paint: { "line-color": "#ffffff", "line-width": 5 }, filter: ["==", ["geometry-type"], "Polygon"] });
    map.addLayer({ id: "changes-edge", type: "line", source: "changes", paint: { "line-color": COLOURS, "line-width": 2.5 }, filter: ["==", ["geometry-type"], "Polygon"] });
    map.addLayer({ id: "changes-place", type: "circle", source: "changes", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 9, "circle-color": COLOURS, "circle-opacity": 0.3, "circle-stroke-color": COLOURS, "circle-stroke-width": 2.5 } });
    viewer.addEventListener("day", () => this.mark());
    map.on("moveend", () => !panel.hidden && viewer.known && this.changes());
    this.mark();
  }

  // A map of another day says so at once, wherever one looks, with the way back.
  mark() {
    const { day: date, known } = this.viewer;
    this.chip.hidden = !date && !known;
    const words = known ? t("The map as the registers knew it on %(day)s", { day: day(date) }) : date ? t("Rights of %(day)s", { day: day(date) }) : "";
    refill(this.chip, element("span", {}, words), element("button", { class: "button secondary small", type: "button", onclick: () => this.go(null, null) }, t("To today")));
  }

  async open() {
    if (this.days) return this.draw();
    refill(this.body, [90, 60, 75].map((width) => element("span", { class: `skeleton w${width}` })));
    try {
      this.days = (await ask("/api/v1/changes/days")).days;
      this.draw();
    } catch (error) {
      refill(this.body, element("div", { class: "notice error", role: "alert" }, element("p", {}, explain(error))), this.dayField());
    }
    return undefined;
  }

  close() {
    this.request?.abort();
    this.viewer.map.getSource("changes").setData(EMPTY);
  }

  go(date, known) {
    this.viewer.travel(date, known);
    announce(date ? t("The map shows %(day)s", { day: day(date) }) : t("The map shows today"));
    if (!this.panel.hidden && this.days) this.draw();
  }

  draw() {
    const dates = [...new Set([...this.days.map((one) => one.day), this.today])].sort();
    const at = this.viewer.known ? Math.max(0, dates.findLastIndex((date) => date <= this.viewer.day)) : dates.length - 1;
    const slider = element("input", { id: "versions", type: "range", min: 0, max: dates.length - 1, step: 1, value: at, "aria-describedby": "versions-day" });
    const label = element("output", { id: "versions-day", for: "versions", class: "number" });
    const tell = () => {
      const date = dates[slider.value];
      const counts = this.days.find((one) => one.day === date)?.layers || {};
      const words = Number(slider.value) === dates.length - 1 ? t("Today, as known now") : day(date);
      slider.setAttribute("aria-valuetext", words);
      refill(label, element("strong", {}, words), element("span", { class: "hint" }, Object.entries(counts).map(([name, count]) => `${this.viewer.registry.title(name)}: ${number(count, 0)}`).join(" · ")));
    };
    const settle = () => {
      const last = Number(slider.value) === dates.length - 1;
      const date = dates[slider.value];
      this.viewer.travel(last ? null : date, last ? null : evening(date, this.viewer.zone));
      announce(last ? t("The map shows today") : t("The map shows %(day)s", { day: day(date) }));
      this.changes();
    };
    slider.addEventListener("input", tell);
    slider.addEventListener("change", settle);
    this.list = element("div", { "aria-live": "polite" });
    refill(
      this.body,
      element("label", { for: "versions", class: "strong" }, t("The map as the registers knew it")),
      element("p", { class: "hint" }, t("Each step is a day on which something was recorded.")),
      this.columns(dates, at),
      slider,
      label,
      this.dayField(),
      this.list,
    );
    tell();
    if (this.viewer.known) this.changes();
  }

  // How much was recorded on each day, on a logarithmic scale: a first load must not hide a single change.
  columns(dates, at) {
    const count = (date) => Object.values(this.days.find((one) => one.day === date)?.layers || {}).reduce((a, b) => a + b, 0);
    const most = Math.log10(1 + Math.max(1, ...dates.map(count)));
    const width = 320 / dates.length;
    const bar = (date, i) => {
      const height = (38 * Math.log10(1 + count(date))) / most;
      return drawing("rect", { x: i * width + width * 0.15, y: 40 - height, width: Math.max(width * 0.7, 1), height, class: i === at ? "now" : null });
    };
    return drawing("svg", { class: "columns", viewBox: "0 0 320 40", preserveAspectRatio: "none", "aria-hidden": "true" }, dates.map(bar));
  }

  dayField() {
    const input = element("input", { id: "day", type: "date", max: this.today, value: this.viewer.known ? "" : this.viewer.day || "" });
    input.addEventListener("change", () => this.go(input.value && input.value <= this.today ? input.value : null, null));
    return element("div", { class: "day" }, element("label", { for: "day", class: "strong" }, t("Rights in force on a day")), element("p", { class: "hint" }, t("By today’s knowledge: leases and licences that held on that day.")), input);
  }

  // What the registers changed in view between the day of the map and now.
  async changes() {
    this.request?.abort();
    const { map, registry, known } = this.viewer;
    if (!known) {
      refill(this.list);
      map.getSource("changes").setData(EMPTY);
      return;
    }
    this.request = new AbortController();
    const box = map.getBounds().toArray().flat().map((n) => n.toFixed(5)).join(",");
    try {
      const answer = await ask(`/api/v1/changes?since=${known}&bbox=${box}`, this.request.signal);
      map.getSource("changes").setData({ type: "FeatureCollection", features: answer.changes.filter((one) => one.geometry).map(({ geometry, kind }) => ({ type: "Feature", geometry, properties: { kind } })) });
      const words = tn("%(count)s object has changed in view since then", "%(count)s objects have changed in view since then", answer.matched);
      announce(words);
      refill(
        this.list,
        element("p", { class: "strong" }, words),
        element("ul", { class: "entries" }, answer.changes.slice(0, 100).map((one) => this.entry(registry.get(one.layer), one))),
        answer.matched > Math.min(100, answer.changes.length) && element("p", { class: "hint" }, t("The first %(first)s of %(all)s. Come closer to see the others.", { first: Math.min(100, answer.changes.length), all: number(answer.matched, 0) })),
      );
    } catch (error) {
      if (error.name !== "AbortError") refill(this.list, element("div", { class: "notice error", role: "alert" }, element("p", {}, explain(error))));
    }
  }

  entry(layer, one) {
    const show = () => {
      if (one.kind === "gone") this.viewer.fly(one.geometry && bboxOf(one.geometry), { side: "left" });
      else this.choose(one);
    };
    return element("li", {}, element("button", { type: "button", "data-change": `${one.layer}/${one.id}`, onclick: show }, symbol(layer), element("span", { class: "words" }, element("span", { class: "kind" }, layer.one[locale]), element("strong", {}, one.title || t("without number")), element("span", { class: `tag ${SHAPES[one.kind]}` }, KINDS[one.kind]()))));
  }
}

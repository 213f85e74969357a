// The panel on the right: everything that lies at a place, then one object with all that is known of it.

import { announce } from "./announcer.js";
import { bboxOf, cornersOf, cornerTable } from "./corners.js";
import { element, icon } from "./element.js";
import { area, day, degrees, locale, number, reading, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { standingList } from "./standing.js";
import { symbol } from "./symbol.js";
import { versionList } from "./versions.js";

const SHAPES = { active: "good", registered: "good", earlier: "good", planned: "busy", declared: "busy", in_work: "busy", suspended: "warn", overdue: "warn", temporary: "warn", annulled: "bad", refused: "bad", abolished: "bad", completed: "done", closed: "done", archived: "done", cut: "done" };
const APART = new Set(["area_m2", "area_declared_m2", "area_method", "key"]);

export function tag(layer, code) {
  const property = layer.propertyByName.get("status");
  return code && property ? element("span", { class: `tag ${SHAPES[code] || ""}` }, reading(property, code)) : null;
}

// When a right holds, in one line; null for what is no right.
function term(right) {
  if (!right || right.state === "none") return null;
  const dates = [right.begins && t("from %(day)s", { day: day(right.begins) }), right.ends && t("until %(day)s", { day: day(right.ends) })].filter(Boolean).join(" ");
  const left = right.state === "valid" && right.days_left !== null && right.days_left < 400 ? tn("%(count)s day left", "%(count)s days left", right.days_left) : "";
  return [dates, left].filter(Boolean).join(" · ") || null;
}

export class Detail {
  constructor(viewer, panel, highlight, zone) {
    Object.assign(this, { viewer, panel, highlight, zone });
    this.body = panel.querySelector(".panel-body");
    this.title = panel.querySelector("h2");
    this.back = panel.querySelector("[data-back]");
    this.back.addEventListener("click", () => this.here && this.list(this.here));
    panel.querySelector("[data-close]").addEventListener("click", () => this.close());
  }

  open(title, ...content) {
    this.title.textContent = title;
    this.body.replaceChildren(...content.flat().filter(Boolean));
    this.body.scrollTop = 0;
    if (this.panel.hidden) this.panel.hidden = false;
    this.panel.classList.remove("folded");
  }

  close() {
    if (this.panel.hidden) return false;
    this.panel.hidden = true;
    this.here = null;
    this.request?.abort();
    this.highlight.show(null);
    this.viewer.select(null);
    this.viewer.map.getCanvas().focus({ preventScroll: true });
    return true;
  }

  wait(title) {
    this.back.hidden = true;
    this.open(title, [90, 60, 75, 40].map((width) => element("span", { class: `skeleton w${width}` })));
    this.request?.abort();
    this.request = new AbortController();
    return this.request.signal;
  }

  trouble(error, again) {
    if (error.name === "AbortError") return;
    const words = explain(error);
    this.open(t("It did not work"), element("div", { class: "notice error", role: "alert" }, element("p", {}, words)), element("button", { class: "button secondary", type: "button", onclick: again }, t("Try again")));
  }

  // Everything that lies at a place; `drawn` are objects under the pointer that the map has drawn there.
  async at(place, drawn = []) {
    const { viewer } = this;
    const signal = this.wait(t("What is here"));
    try {
      const answer = await ask(`/api/v1/spatial/at?lon=${place[0].toFixed(7)}&lat=${place[1].toFixed(7)}${viewer.when()}`, signal);
      const known = new Set(answer.objects.map((o) => `${o.layer}/${o.id}`));
      const objects = [...drawn.filter((o) => !known.has(`${o.layer}/${o.id}`)), ...answer.objects].filter((o) => viewer.registry.get(o.layer));
      this.arrive({ place, objects, layers: answer.layers });
    } catch (error) {
      if (error.kind === "offline" && drawn.length) this.arrive({ place, objects: drawn });
      else this.trouble(error, () => this.at(place, drawn));
    }
  }

  arrive(here) {
    this.here = here;
    const rights = here.objects.filter((o) => !["base"].includes(this.viewer.registry.get(o.layer).group));
    if (rights.length === 1) this.object(rights[0]);
    else this.list(here);
  }

  list(here) {
    const { registry } = this.viewer;
    this.here = here;
    this.back.hidden = true;
    this.viewer.select(null);
    this.highlight.show(null);
    const place = element("p", { class: "hint place number" }, degrees(here.place));
    const checked = here.layers && standingList(registry, here.layers);
    if (!here.objects.length) {
      announce(t("Nothing from the registers lies here"));
      return this.open(t("What is here"), place, element("div", { class: "empty" }, element("p", {}, t("Nothing from the registers lies here. Choose another place, or look at which layers there are."))), checked);
    }
    const items = here.objects.map((o) => this.entry(registry.get(o.layer), o));
    announce(tn("%(count)s object here", "%(count)s objects here", here.objects.length));
    return this.open(t("What is here"), place, element("ul", { class: "entries" }, items), checked);
  }

  entry(layer, o) {
    const paper = o.right?.paper && o.right.paper !== o.title ? t("by %(paper)s", { paper: o.right.paper }) : null;
    const kind = o.kind && layer.propertyByName.get("kind")?.labels?.[o.kind]?.[locale];
    const facts = [kind, o.holder, paper, term(o.right), o.area_m2 ? area(o.area_m2) : null].filter(Boolean).join(" · ");
    const name = [o.title || t("without number"), o.subtitle !== o.holder && o.subtitle].filter(Boolean);
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", "data-object": `${o.layer}/${o.id}`, onclick: () => this.object(o) },
        symbol(layer),
        element("span", { class: "words" }, element("span", { class: "kind" }, layer.one[locale]), element("strong", {}, name[0]), facts && element("span", { class: "muted" }, facts), tag(layer, o.status)),
      ),
    );
  }

  async object({ layer: name, id }, { fly = false } = {}) {
    const layer = this.viewer.registry.get(name);
    if (!layer) return this.trouble({ kind: "missing" }, () => this.close());
    const signal = this.wait(layer.one[locale]);
    this.viewer.select({ layer: name, id });
    try {
      const feature = await ask(`/api/v1/objects/${name}/${id}${this.viewer.when("?")}`, signal);
      const corners = cornersOf(feature.geometry);
      this.highlight.show(feature.geometry && { type: "Feature", properties: {}, geometry: feature.geometry }, corners.slice(0, 2000));
      if (fly) this.viewer.fly(bboxOf(feature.geometry));
      this.back.hidden = !(this.here?.objects.length > 1);
      this.open(layer.one[locale], this.sheet(layer, feature, corners));
      announce(`${layer.one[locale]} ${this.viewer.registry.nameOf(name, feature.properties)}`);
    } catch (error) {
      this.highlight.show(null);
      this.trouble(error, () => this.object({ layer: name, id }));
    }
    return undefined;
  }

  sheet(layer, feature, corners) {
    const p = feature.properties;
    const name = this.viewer.registry.nameOf(layer.name, p);
    const rest = layer.properties.filter((x) => !APART.has(x.name) && p[x.name] !== null && p[x.name] !== "" && p[x.name] !== undefined && p[x.name] !== name && x.name !== "status");
    return [
      element("header", { class: "object" }, symbol(layer), element("div", {}, element("h3", {}, name), tag(layer, p.status))),
      layer.geometry === "POINT" ? null : this.size(layer, p),
      element("dl", { class: "facts" }, rest.flatMap((x) => [element("dt", {}, x.title[locale]), element("dd", {}, reading(x, p[x.name]))])),
      this.actions(layer, feature),
      corners.length ? cornerTable(corners) : element("p", { class: "hint" }, t("The register has no boundary of this object.")),
      feature.versions?.length ? versionList(layer, feature.versions, this.zone) : null,
    ];
  }

  size(layer, p) {
    const method = layer.propertyByName.get("area_method");
    const difference = p.area_m2 && p.area_declared_m2 ? ((p.area_m2 - p.area_declared_m2) / p.area_declared_m2) * 100 : null;
    return element(
      "div",
      { class: "size" },
      p.area_m2 && element("div", {}, element("span", { class: "kind" }, t("Area by the boundary")), element("strong", { class: "number" }, area(p.area_m2)), p.area_method && element("span", { class: "hint" }, reading(method, p.area_method))),
      p.area_declared_m2 && element("div", {}, element("span", { class: "kind" }, t("Area by the papers")), element("strong", { class: "number" }, area(p.area_declared_m2)), difference !== null && Math.abs(difference) >= 0.05 && element("span", { class: "hint" }, t("differs by %(share)s %", { share: `${difference > 0 ? "+" : "−"}${number(Math.abs(difference), 1)}` }))),
    );
  }

  actions(layer, feature) {
    const item = `/ogc/collections/${layer.name}/items/${feature.id}`;
    const copy = element("button", { class: "button secondary small", type: "button" }, icon("copy"), t("Copy the link"));
    copy.addEventListener("click", async () => {
      await navigator.clipboard?.writeText(location.href);
      announce(t("The link is copied"));
      copy.lastChild.textContent = t("Copied");
    });
    return element(
      "div",
      { class: "buttons" },
      feature.geometry && element("button", { class: "button secondary small", type: "button", onclick: () => this.viewer.fly(bboxOf(feature.geometry), { maxZoom: 17 }) }, icon("target"), t("Show whole")),
      copy,
      element("a", { class: "button secondary small", href: `${item}?f=json`, download: `${layer.name}-${feature.id}.geojson` }, icon("download"), t("GeoJSON")),
      element("a", { class: "button quiet small", href: `${item}?f=html` }, t("In the register (OGC API)")),
    );
  }
}

// Search by number, cadastral number, holder, place, or by coordinates; a listbox that the keyboard walks.

import { announce } from "./announcer.js";
import { element } from "./element.js";
import { degrees, t, tn } from "./language.js";
import { ask, explain } from "./registry.js";
import { symbol } from "./symbol.js";

// «55.03, 82.92»: latitude first, as people copy it; decimal commas need a semicolon or a space between.
export function placeOf(text) {
  const match = /^\s*(-?\d{1,2}(?:[.,]\d+)?)\s*[°]?\s*[;,\s]\s*(-?\d{1,3}(?:[.,]\d+)?)\s*[°]?\s*$/.exec(text);
  if (!match) return null;
  const [lat, lon] = [match[1], match[2]].map((part) => Number(part.replace(",", ".")));
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && /[.,]\d/.test(text) ? [lon, lat] : null;
}

export class Search {
  constructor(viewer, form, choose) {
    this.viewer = viewer;
    this.form = form;
    this.choose = choose;
    this.input = form.querySelector("input");
    this.list = form.querySelector("[role=listbox]");
    this.hits = [];
    this.active = -1;
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.hits.length && this.open(true));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take(Math.max(this.active, 0));
    });
    document.addEventListener("pointerdown", (event) => form.contains(event.target) || this.open(false));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(), 160);
  }

  async find() {
    const text = this.input.value.trim();
    this.request?.abort();
    if (text.length < 2) return this.draw([], "");
    const place = placeOf(text);
    if (place) return this.draw([{ place, title: degrees(place), subtitle: t("place on the map") }], text);
    this.request = new AbortController();
    this.form.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(`/api/v1/search?limit=12&q=${encodeURIComponent(text)}`, this.request.signal);
      this.draw(answer.hits, text);
    } catch (error) {
      if (error.name !== "AbortError") this.draw([], text, explain(error));
    } finally {
      this.form.removeAttribute("aria-busy");
    }
  }

  draw(hits, text, trouble = "") {
    this.hits = hits;
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    const { registry } = this.viewer;
    this.list.replaceChildren(
      ...hits.map((hit, i) =>
        element(
          "li",
          { role: "option", id: `hit-${i}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); this.take(i); } },
          hit.layer ? symbol(registry.get(hit.layer)) : null,
          element("span", { class: "words" }, element("strong", {}, hit.title), element("span", {}, [hit.layer && registry.one(hit.layer), hit.subtitle].filter(Boolean).join(" · "))),
        ),
      ),
    );
    const empty = t("Nothing is called “%(text)s”. Try a part of the number, the holder or a place.", { text });
    if (!hits.length && text) this.list.append(element("li", { class: "none", role: "presentation" }, trouble || empty));
    this.open(Boolean(text));
    if (text) announce(hits.length ? tn("%(count)s found", "%(count)s found", hits.length) : trouble || empty);
  }

  open(on) {
    this.list.hidden = !on;
    this.input.setAttribute("aria-expanded", String(on));
  }

  key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (this.list.hidden) this.input.blur();
      else this.open(false);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.hits.length) return;
    event.preventDefault();
    this.open(true);
    this.active = (this.active + step + this.hits.length) % this.hits.length;
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === this.active)));
    this.input.setAttribute("aria-activedescendant", `hit-${this.active}`);
    this.list.children[this.active].scrollIntoView({ block: "nearest" });
  }

  async take(i) {
    if (!this.hits.length) {
      clearTimeout(this.timer);
      await this.find();
    }
    const hit = this.hits[i];
    if (!hit) return;
    this.open(false);
    this.input.blur();
    if (hit.place) this.viewer.map.flyTo({ center: hit.place, zoom: Math.max(this.viewer.map.getZoom(), 13) });
    this.choose(hit);
  }
}

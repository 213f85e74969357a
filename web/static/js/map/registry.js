// The registry of layers as the visitor may know it, and everything asked of the server.

import { locale, t } from "./language.js";

export class Refusal extends Error {
  constructor(kind, status, document) {
    super(document?.title || kind);
    this.kind = kind;
    this.status = status;
    this.document = document;
  }

  // What the server said of a value that it refused, with the way out.
  get words() {
    const { code, value, title, detail } = this.document || {};
    const place = /at (-?[\d.]+), (-?[\d.]+)/.exec(title || "");
    if (code === "bad-geometry" && value === "self-intersection" && place) return t("The border crosses itself at %(lat)s, %(lon)s. Correct it there: a border must not cross or touch itself.", { lat: place[2], lon: place[1] });
    if (code === "bad-crs") return t("The file does not say which coordinate system it is in. Save it with its system, or as GeoJSON in WGS 84.");
    if (code === "bad-geometry") return `${t("No polygon could be read.")} ${title} ${detail}`;
    return [title, detail].filter(Boolean).join(" ");
  }
}

// What happened in words: offline, no access, not there, busy, a fault.
export function explain(error) {
  const words = {
    offline: t("There is no connection. The map shows what was loaded before."),
    forbidden: t("This is not open to you. Log in, or ask the owner for access."),
    missing: t("This object is not in the register, or it is not open to you."),
    busy: t("The service does not answer just now. Try again in a minute."),
    fault: t("Something went wrong on our side. Try again."),
  };
  return words[error.kind] || words.fault;
}

// The answer to a question; with a body it is posted.
export async function ask(path, signal, { body } = {}) {
  let answer;
  try {
    answer = await fetch(path, { signal, body, method: body ? "POST" : "GET", headers: { accept: "application/json, application/geo+json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("offline", 0);
  }
  if (answer.ok) return answer.json();
  const kinds = { 400: "refused", 401: "forbidden", 403: "forbidden", 404: "missing", 413: "refused", 422: "refused", 429: "busy", 503: "busy" };
  const document = await answer.json().catch(() => null);
  throw new Refusal(kinds[answer.status] || "fault", answer.status, document);
}

export class Registry {
  constructor(document) {
    this.groups = Object.entries(document.groups).map(([name, title]) => ({ name, title: title[locale] }));
    this.bbox = document.bbox;
    this.titles = document.titles;
    this.layers = document.layers;
    this.byName = new Map(this.layers.map((layer) => [layer.name, layer]));
    for (const layer of this.layers) layer.propertyByName = new Map(layer.properties.map((p) => [p.name, p]));
  }

  static async load() {
    return new Registry(await ask("/api/v1/layers"));
  }

  get(name) {
    return this.byName.get(name);
  }

  title(name) {
    return this.titles[name]?.[locale] || name;
  }

  one(name) {
    return this.get(name)?.one[locale] || name;
  }

  // The text that names an object: the first filled column of the registry.
  nameOf(layer, properties) {
    const names = this.get(layer)?.title_of || [];
    const found = names.map((name) => properties[name]).find(Boolean);
    return found || t("without number");
  }
}

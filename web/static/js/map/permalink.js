// The permalink: the address bar always holds a link to what is seen.

export function parseView(text) {
  const parts = (text || "").split("/").map(Number);
  if (parts.length < 3 || parts.some(Number.isNaN)) return null;
  const [zoom, lat, lon, bearing = 0] = parts;
  if (Math.abs(lat) > 90 || Math.abs(lon) > 360 || zoom < 0 || zoom > 24) return null;
  return { zoom, center: [lon, lat], bearing };
}

// Rasters under the registers: name, then its strength in percent and its view where they are not the usual ones.
function parseImagery(text) {
  const found = new Map();
  for (const part of (text || "").split(",")) {
    const match = /^([a-z0-9][a-z0-9-]*)(?::(\d{1,3}))?(?::([a-z]+))?$/.exec(part);
    if (match) found.set(match[1], { strength: Math.min(100, Math.max(10, Number(match[2] ?? 100))), view: match[3] });
  }
  return found;
}

function imageryText([name, { strength, view }]) {
  const plain = !view || view === "colours" || view === "values";
  return name + (strength < 100 || !plain ? `:${strength}` : "") + (plain ? "" : `:${view}`);
}

export function read(hash = location.hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const filters = {};
  for (const [key, value] of given) {
    const [layer, field] = key.split(".");
    if (field) (filters[layer] ??= {})[field] = value;
  }
  const object = /^([a-z_]+)\/(\d+)$/.exec(given.get("object") || "");
  return {
    view: parseView(given.get("view")),
    layers: given.has("layers") ? new Set(given.get("layers").split(",").filter(Boolean)) : null,
    object: object ? { layer: object[1], id: Number(object[2]) } : null,
    day: /^\d{4}-\d{2}-\d{2}$/.test(given.get("day") || "") ? given.get("day") : null,
    imagery: parseImagery(given.get("imagery")),
    known: /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(given.get("known") || "") ? given.get("known") : null,
    filters,
  };
}

export function write({ map, shown, defaults, filters, imagery, object, day, known }) {
  const centre = map.getCenter();
  const zoom = map.getZoom();
  const digits = zoom > 12 ? 5 : 4;
  const view = [zoom.toFixed(2), centre.lat.toFixed(digits), centre.lng.toFixed(digits)];
  if (Math.abs(map.getBearing()) > 0.5) view.push(map.getBearing().toFixed(0));
  const parts = [`view=${view.join("/")}`];
  const same = shown.size === defaults.size && [...shown].every((name) => defaults.has(name));
  if (!same) parts.push(`layers=${[...shown].join(",")}`);
  if (imagery.size) parts.push(`imagery=${[...imagery].map(imageryText).join(",")}`);
  for (const [layer, fields] of Object.entries(filters)) {
    for (const [field, value] of Object.entries(fields)) if (value) parts.push(`${layer}.${field}=${encodeURIComponent(value)}`);
  }
  if (day) parts.push(`day=${day}`);
  if (known) parts.push(`known=${known}`);
  if (object) parts.push(`object=${object.layer}/${object.id}`);
  const hash = `#${parts.join("&")}`;
  if (hash !== location.hash) history.replaceState(null, "", location.pathname + location.search + hash);
}

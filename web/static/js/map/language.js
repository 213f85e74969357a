// Language of the viewer: messages that the page brought along, numbers, areas and dates as people write them.

const root = document.documentElement;
export const locale = root.lang || "ru";
const shipped = document.getElementById("messages");
const catalogue = shipped ? JSON.parse(shipped.textContent) : {};
const plurals = new Intl.PluralRules(locale);
const FORMS = { ru: ["one", "few", "many"] };

function put(text, values) {
  return text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);
}

export function t(message, values = {}) {
  return put(catalogue[message] || message, values);
}

export function tn(one, many, n, values = {}) {
  const forms = catalogue[one];
  const chosen = Array.isArray(forms) ? forms[Math.max(0, (FORMS[locale] || []).indexOf(plurals.select(n)))] : n === 1 ? one : many;
  return put(chosen, { count: number(n, 0), ...values });
}

// As the pages write it: a dash where there is none.
export function number(value, digits = 1) {
  if (value === null || value === undefined) return "—";
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

export function area(squareMetres) {
  if (Math.abs(squareMetres) < 1000) return `${number(squareMetres, 0)} ${t("m²")}`;
  const hectares = squareMetres / 10000;
  return `${number(hectares, hectares >= 100 ? 1 : hectares >= 1 ? 2 : 4)} ${t("ha")}`;
}

export function distance(metres) {
  return metres < 1000 ? `${number(metres, metres < 10 ? 2 : 0)} ${t("m")}` : `${number(metres / 1000, metres < 100000 ? 2 : 0)} ${t("km")}`;
}

export function day(iso) {
  const [year, month, date] = iso.slice(0, 10).split("-");
  if (locale === "ru") return `${date}.${month}.${year}`;
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(new Date(iso.slice(0, 10)));
}

export function instant(iso, zone) {
  const made = new Date(iso);
  const options = { day: "2-digit", month: locale === "ru" ? "2-digit" : "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: zone, timeZoneName: "shortOffset" };
  return new Intl.DateTimeFormat(locale === "ru" ? "ru" : "en-GB", options).format(made).replace("GMT", "UTC");
}

export function degrees([lon, lat]) {
  const part = (value, positive, negative) => `${number(Math.abs(value), 5)}° ${value < 0 ? negative : positive}`;
  return `${part(lat, t("N"), t("S"))}, ${part(lon, t("E"), t("W"))}`;
}

const UNITS = { "m3/ha": "m³/ha", m3: "m³", m: "m", cm: "cm", t: "t", rub: "₽", year: "years" };
const MESSAGES = { "m³/ha": () => t("m³/ha"), "m³": () => t("m³"), m: () => t("m"), cm: () => t("cm"), t: () => t("t"), "₽": () => t("₽"), years: () => t("years") };

// A value of a property as people read it; null where the register has none.
export function reading(property, value) {
  if (value === null || value === undefined || value === "") return null;
  if (property.labels) return property.labels[value]?.[locale] || String(value);
  if (property.unit === "m2") return area(Number(value));
  if (property.type === "date") return day(String(value));
  if (property.type === "number" || (property.type === "integer" && property.name !== "year")) {
    const unit = MESSAGES[UNITS[property.unit]];
    return number(Number(value), 2) + (unit ? ` ${unit()}` : "");
  }
  return String(value);
}

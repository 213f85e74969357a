// The announcer: tells a screen reader what changed, and everybody what does not work.

const voice = document.getElementById("announcer");
const banner = document.getElementById("banner");

export function announce(text) {
  voice.textContent = "";
  requestAnimationFrame(() => (voice.textContent = text));
}

let shown = "";

export function warn(key, text) {
  shown = key;
  banner.textContent = text;
  banner.hidden = false;
}

export function calm(key) {
  if (shown !== key) return;
  shown = "";
  banner.hidden = true;
}

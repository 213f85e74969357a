// Panels and tools: what opens, what closes what, and the keys.

export class Panels {
  constructor(stage) {
    this.stage = stage;
    this.buttons = new Map([...stage.querySelectorAll("[data-panel]")].map((button) => [button.dataset.panel, button]));
    this.opened = new Map();
    this.closed = new Map();
    for (const [name, button] of this.buttons) button.addEventListener("click", () => this.toggle(name));
    for (const close of stage.querySelectorAll(".panel.left [data-close]")) {
      close.addEventListener("click", () => this.toggle(close.closest(".panel").id, false, { focus: true }));
    }
    for (const handle of stage.querySelectorAll("[data-handle]")) {
      handle.addEventListener("click", () => handle.closest(".panel").classList.toggle("folded"));
    }
  }

  // What happens when a panel opens and when it closes.
  on(name, opened, closed) {
    this.opened.set(name, opened);
    this.closed.set(name, closed);
  }

  panel(name) {
    return this.stage.querySelector(`#${name}`);
  }

  // Left panels share one place: opening one closes the other.
  toggle(name, on = this.panel(name).hidden, { focus = false } = {}) {
    const before = [...this.buttons.keys()].find((other) => !this.panel(other).hidden);
    if (before && (before !== name || !on)) this.closed.get(before)?.();
    for (const [other, button] of this.buttons) {
      const open = other === name ? on : false;
      this.panel(other).hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    }
    if (on) this.opened.get(name)?.();
    if (on && focus) this.panel(name).querySelector(".panel-body :is(input, button, select, summary), button")?.focus({ preventScroll: true });
    if (!on && focus) this.buttons.get(name).focus();
  }

  // Closes the left panel that is open; whether there was one.
  close() {
    for (const name of this.buttons.keys()) {
      if (!this.panel(name).hidden) {
        this.toggle(name, false, { focus: true });
        return true;
      }
    }
    return false;
  }
}

// `/` search, Esc closes, letters open tools; on a Russian keyboard by the key's place.
export function keys({ search, escape, enter, letters }) {
  const actions = { Slash: search, Escape: escape, Enter: enter, ...Object.fromEntries(Object.entries(letters).map(([letter, action]) => [`Key${letter}`, action])) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writes = event.target.closest?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (writes && event.key !== "Escape") return;
    if (event.key === "Enter" && event.target.closest?.("button, a, summary, label")) return;
    const action = event.key === "/" ? search : actions[event.code];
    if (action?.(event)) event.preventDefault();
  });
}

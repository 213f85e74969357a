// Panels and tools: what opens, what closes what, and the keys.

export class Panels {
  constructor(stage) {
    this.stage = stage;
    this.buttons = new Map([...stage.querySelectorAll("[data-panel]")].map((button) => [button.dataset.panel, button]));
    this.opened = new Map();
    for (const [name, button] of this.buttons) button.addEventListener("click", () => this.toggle(name));
    for (const close of stage.querySelectorAll(".panel.left [data-close]")) {
      close.addEventListener("click", () => this.toggle(close.closest(".panel").id, false, { focus: true }));
    }
    for (const handle of stage.querySelectorAll("[data-handle]")) {
      handle.addEventListener("click", () => handle.closest(".panel").classList.toggle("folded"));
    }
  }

  on(name, listener) {
    this.opened.set(name, listener);
  }

  panel(name) {
    return this.stage.querySelector(`#${name}`);
  }

  // Left panels share one place: opening one closes the other.
  toggle(name, on = this.panel(name).hidden, { focus = false } = {}) {
    for (const [other, button] of this.buttons) {
      const open = other === name ? on : false;
      this.panel(other).hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    }
    if (on) this.opened.get(name)?.();
    if (on && focus) this.panel(name).querySelector("input, button, [tabindex]")?.focus();
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

// `/` search, `L` layers, `O` objects in view, `M` measure, Esc closes; on a Russian keyboard by the key's place.
export function keys({ search, layers, objects, measure, escape, enter }) {
  const actions = { Slash: search, KeyL: layers, KeyO: objects, KeyM: measure, Escape: escape, Enter: enter };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (writes && event.key !== "Escape") return;
    if (event.key === "Enter" && event.target.closest?.("button, a, summary")) return;
    const action = event.key === "/" ? search : actions[event.code];
    if (action?.(event)) event.preventDefault();
  });
}

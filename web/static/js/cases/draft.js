// Drafts: saved by themselves every few seconds, a failure is announced, nothing typed is ever lost.
const form = document.getElementById("case-form");
const status = document.getElementById("save-status");
const WAIT = 2500;
let settle = async () => true;

/** Saves what is typed and not saved yet; false where that failed. */
export const settled = () => settle();

if (form) {
  const key = `mezha-case-${form.dataset.case}`;
  let revision = Number(form.dataset.revision);
  let timer = 0;
  let running = null;
  let again = false;
  let stopped = false;
  let sent = null;

  const values = () => {
    const found = {};
    for (const control of form.elements) {
      if (control.name && control.type !== "hidden" && control.type !== "submit" && !control.name.includes(".")) {
        found[control.name] = control.value;
      }
    }
    return found;
  };
  const keep = () => localStorage.setItem(key, JSON.stringify({ values: values(), at: Date.now() }));
  const tell = (text, failed) => {
    status.textContent = text;
    status.classList.toggle("failed", Boolean(failed));
  };

  const text = () => JSON.stringify({ payload: values() });
  let stored = text();

  async function save() {
    if (stopped) return;
    if (running) {
      again = true;
      return;
    }
    running = write();
    await running;
    running = null;
    if (sent) form.requestSubmit(sent.submitter);
    else if (again) {
      again = false;
      save();
    }
  }

  settle = async () => {
    await running;
    clearTimeout(timer);
    if (stored !== text()) await save();
    return stored === text();
  };

  async function write() {
    const body = text();
    tell(form.dataset.saving);
    try {
      const answer = await fetch(`/api/v1/cases/${form.dataset.case}`, {
        method: "PUT",
        headers: { "content-type": "application/json", "if-match": `"${revision}"`, "x-csrf-token": form.dataset.csrf },
        body,
      });
      if (answer.ok) {
        revision = (await answer.json()).revision;
        stored = body;
        form.elements.revision.value = revision;
        document.dispatchEvent(new CustomEvent("case:revision", { detail: revision }));
        localStorage.removeItem(key);
        tell(`${form.dataset.saved} ${new Date().toLocaleTimeString(document.documentElement.lang)}`);
      } else if (answer.status === 401 || answer.status === 403) {
        tell(form.dataset.expired, true);
      } else if (answer.status === 412) {
        stopped = true;
        tell(form.dataset.outdated, true);
      } else {
        tell(form.dataset.failed, true);
      }
    } catch {
      tell(form.dataset.failed, true);
    }
  }

  form.addEventListener("input", () => {
    keep();
    // What was signed is not what stands here any more.
    for (const part of form.querySelectorAll("[data-fresh], [data-stale]")) part.hidden = "fresh" in part.dataset;
    clearTimeout(timer);
    timer = setTimeout(save, WAIT);
  });
  form.addEventListener("submit", (event) => {
    stopped = true;
    clearTimeout(timer);
    // A draft on its way to the server changes the revision: sent beside it, the form would be refused as outdated.
    if (!running) return;
    event.preventDefault();
    sent = { submitter: event.submitter };
  });
  document.addEventListener("case:revision", (event) => {
    revision = event.detail;
    form.elements.revision.value = revision;
  });

  const kept = JSON.parse(localStorage.getItem(key) || "null");
  if (kept) {
    let changed = false;
    for (const [name, value] of Object.entries(kept.values)) {
      const control = form.elements[name];
      if (control && control.value !== value) {
        control.value = value;
        changed = true;
      }
    }
    if (changed) {
      tell(form.dataset.restored);
      timer = setTimeout(save, WAIT);
    } else {
      localStorage.removeItem(key);
    }
  }
}

document.querySelector(".error-summary")?.focus();

// Documents of a case: a chosen file goes up as it is, with its progress; what is wrong with it is said beside it.
const section = document.getElementById("documents");
const english = document.documentElement.lang === "en";

/** What a problem document says, in the language of the page. */
function told(body) {
  return (english ? body.en : body.ru) || [body.detail || body.title, body.remedy].filter(Boolean).join(" ");
}

/** Sends bytes; resolves with null where they were taken, otherwise with what to say. */
export function send(address, file, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("x-csrf-token", section.dataset.csrf);
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) progress(sent.loaded / sent.total);
    });
    request.addEventListener("error", () => resolve(section.dataset.failed));
    request.addEventListener("load", () => {
      if (request.status < 300) return resolve(null);
      if (request.status === 401) return resolve(section.dataset.expired);
      try {
        return resolve(told(JSON.parse(request.responseText)));
      } catch {
        return resolve(section.dataset.failed);
      }
    });
    request.send(file);
  });
}

/** The page again, at the same place: what was typed is kept by the draft. */
export function again(place) {
  const url = new URL(location.href);
  url.search = "";
  url.hash = place;
  history.replaceState(null, "", url);
  location.reload();
}

for (const shelf of section?.querySelectorAll(".shelf") ?? []) {
  const chooser = shelf.querySelector("input[type=file]");
  const status = shelf.querySelector(".file-status");
  const bar = shelf.querySelector("progress");
  if (!chooser) continue;
  let replaces = "";
  for (const button of shelf.querySelectorAll("[data-attach]")) {
    button.addEventListener("click", () => {
      replaces = button.dataset.replaces || "";
      chooser.click();
    });
  }
  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    if (!file) return;
    const wanted = new URLSearchParams({ kind: shelf.dataset.kind, name: file.name });
    const dated = shelf.querySelector("[data-dated]")?.value;
    const shared = shelf.querySelector("[data-shared]");
    if (dated) wanted.set("dated", dated);
    if (replaces) wanted.set("replaces", replaces);
    if (shared) wanted.set("shared", shared.checked);
    status.classList.remove("failed");
    status.textContent = section.dataset.sending;
    bar.hidden = false;
    const wrong = await send(`/api/v1/cases/${section.dataset.case}/documents?${wanted}`, file, (share) => {
      bar.value = share;
      if (share === 1) status.textContent = section.dataset.checking;
    });
    bar.hidden = true;
    chooser.value = "";
    if (wrong === null) {
      again("documents");
    } else {
      status.textContent = wrong;
      status.classList.add("failed");
    }
  });
}

const signatures = document.getElementById("signature-file");
let signs = "";
let beside = null;

function chooseSignature(document_, status) {
  signs = document_;
  beside = status;
  signatures.click();
}

for (const button of section?.querySelectorAll("[data-sign-document]") ?? []) {
  button.addEventListener("click", () =>
    chooseSignature(button.dataset.signDocument, button.closest(".shelf").querySelector(".file-status")),
  );
}
document
  .querySelector("[data-sign-case]")
  ?.addEventListener("click", () => chooseSignature("", document.getElementById("signature-status")));
signatures?.addEventListener("change", async () => {
  const [file] = signatures.files;
  if (!file) return;
  beside.classList.remove("failed");
  beside.textContent = section.dataset.checking;
  const query = signs ? `?document=${signs}` : "";
  const wrong = await send(`/api/v1/cases/${section.dataset.case}/signatures${query}`, file, () => {});
  signatures.value = "";
  if (wrong === null) {
    again(signs ? "documents" : "signature");
  } else {
    beside.textContent = wrong;
    beside.classList.add("failed");
  }
});

// Signing here: with a key from a file that the page opens and never sends; what is sent is the signature.
import { again, send } from "./documents.js";
import { settled } from "./draft.js";

const dialog = document.getElementById("key-dialog");
const section = document.getElementById("documents");
let signs = "";

function tell(text, failed) {
  const status = dialog.querySelector(".file-status");
  status.textContent = text;
  status.classList.toggle("failed", Boolean(failed));
}

/** Fetches what is to be signed, signs it and sends the signature; resolves with what to say where that failed. */
async function sign() {
  const [file] = document.getElementById("key-file").files;
  if (!file) return dialog.dataset.notAContainer;
  const { opened, signed } = await import("./key.js");
  try {
    const own = await opened(await file.arrayBuffer(), document.getElementById("key-password").value);
    if (!signs && !(await settled())) return dialog.dataset.unsaved;
    const source = signs ? `documents/${signs}?download=true` : "sheet";
    const answer = await fetch(`${section.dataset.at}/${source}`);
    if (answer.status === 401) return section.dataset.expired;
    if (!answer.ok) return dialog.dataset.failed;
    const signature = await signed(own, await answer.arrayBuffer());
    const query = signs ? `?document=${signs}` : "";
    return await send(`/api/v1/cases/${section.dataset.case}/signatures${query}`, new Blob([signature]), () => {});
  } catch (fault) {
    const words = dialog.dataset[(fault.reason ?? "failed").replace(/-./g, (part) => part[1].toUpperCase())];
    return words ?? dialog.dataset.failed;
  }
}

function open(button) {
  signs = button.dataset.signHere;
  dialog.querySelector("[data-signs]").textContent = button.dataset.what;
  tell("");
  dialog.showModal();
}

// Without a secure connection browsers have no cryptography.
if (dialog && crypto.subtle) {
  for (const part of document.querySelectorAll("[data-here], [data-sign-here]")) part.hidden = false;
  for (const button of document.querySelectorAll("[data-sign-here]")) button.addEventListener("click", () => open(button));
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => (document.getElementById("key-password").value = ""));
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const make = dialog.querySelector("[data-make]");
    make.disabled = true;
    tell(dialog.dataset.signing);
    const wrong = await sign();
    make.disabled = false;
    if (wrong !== null) return tell(wrong, true);
    dialog.close();
    again(signs ? "documents" : "signature");
  });
}

// Compares a file with the hash of the decision, on this device.
const file = document.getElementById("file");
const same = document.getElementById("same");

file?.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (!chosen) return;
  same.classList.remove("failed");
  try {
    const hash = await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer());
    const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const fits = hex === document.getElementById("digest").dataset.sha256;
    same.textContent = fits ? file.dataset.same : file.dataset.other;
    same.classList.toggle("failed", !fits);
  } catch {
    same.textContent = file.dataset.failed;
    same.classList.add("failed");
  }
});

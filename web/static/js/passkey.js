// Passkeys: turns the options of the server into a call of the browser and sends its answer back.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(path, token, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": token },
    body: JSON.stringify(body ?? {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function described(credential) {
  const { response } = credential;
  const fields = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) fields.attestationObject = text(response.attestationObject);
  if (response.authenticatorData) fields.authenticatorData = text(response.authenticatorData);
  if (response.signature) fields.signature = text(response.signature);
  if (response.userHandle) fields.userHandle = text(response.userHandle);
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: fields };
}

async function bind(token) {
  const options = await post("/profile/passkeys/options", token);
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = (options.excludeCredentials ?? []).map((c) => ({ ...c, id: bytes(c.id) }));
  const credential = await navigator.credentials.create({ publicKey: options });
  return post("/profile/passkeys", token, { credential: described(credential), label: navigator.platform });
}

async function login(token, next) {
  const options = await post("/login/passkey/options", token);
  options.challenge = bytes(options.challenge);
  options.allowCredentials = [];
  const credential = await navigator.credentials.get({ publicKey: options });
  return post("/login/passkey", token, { credential: described(credential), next });
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.hidden = !window.PublicKeyCredential;
  button.addEventListener("click", async () => {
    const fault = document.querySelector("[data-passkey-error]");
    fault.hidden = true;
    button.disabled = true;
    try {
      const { passkey, token, next } = button.dataset;
      const onward = passkey === "bind" ? await bind(token) : await login(token, next);
      location.assign(onward.next);
    } catch {
      fault.hidden = false;
      button.disabled = false;
    }
  });
}

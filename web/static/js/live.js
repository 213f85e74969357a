// News without reloading: one tab of the browser holds the stream and passes on to the others what comes.
const bell = document.getElementById("bell");
const toasts = document.getElementById("toasts");
const between = "BroadcastChannel" in window ? new BroadcastChannel("mezha-news") : null;
const locale = bell.dataset.locale;
const SHOWN_MS = 20000;
const MOST_SHOWN = 3;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function count(unread) {
  const badge = document.getElementById("bell-count");
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? "99+" : String(unread);
  document.getElementById("bell-text").textContent = unread ? `${bell.dataset.some}: ${unread}` : bell.dataset.none;
}

function caseOf(path) {
  return /^\/(?:cabinet|office)\/cases\/(\d+)$/.exec(path)?.[1];
}

function toast(message) {
  const here = message.case !== null && caseOf(location.pathname) === String(message.case);
  const link = element("a", { href: message.href, className: "button secondary small", textContent: here ? bell.dataset.reload : bell.dataset.open });
  const close = element("button", { type: "button", className: "button quiet small", textContent: bell.dataset.close });
  const text = here ? `${message.text[locale]} ${bell.dataset.moved}` : message.text[locale];
  const box = element("div", { className: "toast" },
    element("p", { className: "toast-title", textContent: message.title[locale] }),
    element("p", { className: "small", textContent: text }),
    element("div", { className: "buttons" }, link, close));
  close.addEventListener("click", () => box.remove());
  toasts.append(box);
  while (toasts.children.length > MOST_SHOWN) toasts.firstElementChild.remove();
  // On the page of the case itself the news stays until it is looked at.
  if (!here) setTimeout(() => box.remove(), SHOWN_MS);
}

// Parts of the open page that show messages are fetched anew, nothing else of it is touched.
// One fetch at a time: an older page must not come after a newer one, nor replace a part that is no longer there.
let renewing = Promise.resolve();

function renew(ids) {
  renewing = renewing.then(() => fetchAnew(ids)).catch((failure) => console.warn(`the page is not renewed: ${failure.message}`));
}

async function fetchAnew(ids) {
  if (!ids.some((id) => document.getElementById(id))) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const fresh = page.getElementById(id);
    if (fresh) document.getElementById(id)?.replaceWith(document.adoptNode(fresh));
  }
}

// The newest number that came and the count that goes with it, in every tab: whichever holds the stream next goes on there.
let last = "";
let known = null;

function tell(name, data, number) {
  if (number) last = number;
  if (name === "unread") {
    // What came between the making of the page and the opening of the stream was told to nobody.
    if (known === null) renew(["thread", "messages"]);
    known = data;
    count(data.unread);
  }
  if (name === "message") {
    if (data.status === "new") toast(data);
    const thread = data.topic === "thread" && caseOf(location.pathname) === String(data.case);
    renew(thread ? ["thread"] : ["messages"]);
  }
}

function listen() {
  const source = new EventSource(last ? `${bell.dataset.stream}?after=${last}` : bell.dataset.stream);
  for (const name of ["message", "unread"]) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      between?.postMessage([name, data, event.lastEventId]);
      tell(name, data, event.lastEventId);
    });
  }
  // A server that turned the stream away is asked again later, and not at once by everybody.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 20000 + Math.random() * 20000);
  });
  addEventListener("pagehide", () => source.close());
}

between?.addEventListener("message", ({ data: [name, data, number] }) => {
  if (name !== "ask") tell(name, data, number);
  else if (known) between.postMessage(["unread", known, last]);
});

if (navigator.locks && between) {
  between.postMessage(["ask", null, ""]);
  navigator.locks.request("mezha-news", () => new Promise(listen));
} else {
  listen();
}

// Switches of the masthead: an appearance is taken at once, a language keeps the address, menus close.

const YEAR = 31536000;

function choose(link, event) {
  const { choice, value } = link.dataset;
  document.cookie = `mezha_${choice}=${value}; max-age=${YEAR}; path=/; samesite=lax`;
  event.preventDefault();
  if (choice === "lang") {
    const address = new URL(location.href);
    address.searchParams.delete("lang");
    if (address.href === location.href) location.reload();
    else location.replace(address);
    return;
  }
  document.documentElement.dataset.theme = value;
  for (const other of link.parentElement.querySelectorAll("a")) {
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("mezha:appearance"));
  link.closest("details").open = false;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-choice]");
  if (link) choose(link, event);
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.stopPropagation();
});

// An error summary takes the focus, so that it is read first.
document.querySelector(".error-summary")?.focus();

// The frame of every page: partial updates, the menu, keyboard shortcuts, dialogs.
import htmx from "htmx.org";
import { signInAgain, token } from "./requests.js";
import "./shortcuts.js";

// A strict content security policy: nothing evaluated, nothing inline, no private page kept in the browser's storage.
Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
});
window.htmx = htmx;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = token();
});
document.addEventListener("htmx:responseError", async (event) => {
  const { status } = event.detail.xhr;
  if (status === 401 && !event.detail.requestConfig.headers["X-Quiet"]) {
    if (await signInAgain()) window.location.reload();
  } else if (event.detail.requestConfig.verb !== "get" && status !== 401) {
    const text = event.detail.xhr.getResponseHeader("X-Message");
    announce(text ? decodeURIComponent(text) : event.detail.xhr.statusText);
  }
});

/** Show a message at the top of the page, read out by screen readers. */
function announce(text) {
  const place = document.querySelector("#messages");
  const line = document.createElement("p");
  line.className = "notice notice-error";
  line.textContent = text;
  place.replaceChildren(line);
}

// The menu on narrow screens.
const menu = document.querySelector("[data-menu]");
menu?.addEventListener("click", () => {
  const opened = menu.getAttribute("aria-expanded") === "true";
  menu.setAttribute("aria-expanded", String(!opened));
  document.getElementById(menu.getAttribute("aria-controls")).classList.toggle("is-open", !opened);
});

// [data-opens="id"] opens a dialog, [data-closes] closes the one it stands in, [data-submits] submits its form when changed.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
});
document.addEventListener("change", (event) => {
  event.target.closest("[data-submits]")?.form?.requestSubmit();
});

// A form is sent once: a second click while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-form-js") || form.closest("dialog#sign-in-again")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The summary of errors gets the focus, so that it is read first.
document.querySelector("[data-takes-focus]")?.focus();

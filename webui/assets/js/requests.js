// Requests that carry the CSRF token, and the dialog that signs in again without leaving the page.
import { say } from "./texts.js";

const meta = () => document.querySelector('meta[name="csrf-token"]');

/** The CSRF token of this session. */
export const token = () => meta()?.content ?? "";

/** Put a new token everywhere on the page: after signing in again the old one is void. */
function renewToken(value) {
  meta().content = value;
  for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = value;
}

/** fetch() with the token; where the session has expired it asks to sign in again and then repeats the request once. */
export async function request(url, options = {}, again = true) {
  const headers = { Accept: "application/json", "X-CSRFToken": token(), ...(options.headers ?? {}) };
  const response = await fetch(url, { ...options, headers, credentials: "same-origin" });
  if (response.status === 401 && again && (await signInAgain())) return request(url, options, false);
  return response;
}

let open = null;

/** Show the dialog; resolves to true once signed in, to false when it was closed. */
export function signInAgain() {
  open ??= ask().finally(() => {
    open = null;
  });
  return open;
}

function ask() {
  const dialog = document.querySelector("#sign-in-again");
  if (!dialog) return Promise.resolve(false);
  const form = dialog.querySelector("form");
  const message = dialog.querySelector("[role=alert]");
  return new Promise((resolve) => {
    const submit = async (event) => {
      event.preventDefault();
      const response = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json", "X-CSRFToken": token(), "X-Sign-In-Again": "1" },
        credentials: "same-origin",
      });
      const answer = await response.json().catch(() => ({}));
      form.querySelector("[type=password]").value = "";
      if (!response.ok) {
        message.textContent = answer.detail ?? say("用户名或密码不正确。");
        return;
      }
      renewToken(answer.csrf_token);
      finish(true);
    };
    const close = () => finish(false);
    function finish(result) {
      form.removeEventListener("submit", submit);
      dialog.removeEventListener("close", close);
      if (dialog.open) dialog.close();
      message.textContent = "";
      resolve(result);
    }
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", close);
    if (!dialog.open) dialog.showModal();
  });
}

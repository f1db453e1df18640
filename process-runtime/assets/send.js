// Loaded when a form is used. Sends the form that starts a run: what was entered survives a mistake, a confirmation comes once the inputs are valid,
// and an upload shows how far it is and can be stopped.

import { make, write } from "./elements.js";
import { correct, takeOver } from "./mistakes.js";
import { t, TEXTS } from "./texts.js";

Object.assign(TEXTS, { own: "texts" });

const CONFIRMED = "confirmed-start";
const RESTING = 400; // ms after the last key until a corrected value is checked
const SHORT = 400; // ms: a start that takes no longer offers no way to stop it

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// A field that is named like a property of the form hides it: `action`, `elements`, `append`.
const actionOf = (form) => form.getAttribute("action");
const inputsOf = (form) => [...form.querySelectorAll("input, select, textarea")];

/** The inputs without the content of files, which are named instead: enough to check the others. */
const withoutFiles = (form) => new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));

// Not by `fetch`, which tells nothing of an upload's progress and cannot read a document under trusted types.
function post(form, address, body) {
  const request = new XMLHttpRequest();
  request.open("POST", address);
  request.responseType = "document";
  request.setRequestHeader("accept", "text/html");
  const answered = new Promise((done) => { request.addEventListener("loadend", () => done(request)); });
  // A check starts nothing.
  request.upload.addEventListener("load", () => { request.isSent = address === actionOf(form); });
  request.send(body);
  return { request, answered };
}

const checked = (form) => post(form, `${actionOf(form)}?validate_only=yes`, withoutFiles(form));

/** Prepares a form, and gives the function that sends it; `grow` makes lists of inputs grow. */
export function sendByScript(form, grow) {
  const start = form.querySelector("button[type=submit]");
  const stop = make("button", { type: "button", hidden: true }, t("action.cancel"));
  const note = make("span", { class: "note", role: "status" });
  let current, isOpen = false; // whether a start may have arrived
  start.after(" ", stop, " ", note);

  function busy(isBusy) {
    start.disabled = isBusy;
    start.textContent = t(isBusy ? "action.starting" : "action.start");
    stop.hidden = true;
    for (const child of form.querySelectorAll(":scope > *")) if (child !== start.parentElement) child.inert = isBusy;
    if (!isBusy && document.activeElement === document.body) start.focus();
  }

  async function answer(sent) {
    current = sent;
    const offer = setTimeout(() => { stop.hidden = false; }, SHORT);
    sent.request.upload.addEventListener("progress", ({ loaded, total }) => {
      start.textContent = t(loaded < total ? "form.sending" : "action.starting", { percent: t("percent", { n: Math.floor(100 * loaded / total) }) });
    });
    const request = await sent.answered;
    clearTimeout(offer);
    return request;
  }

  async function send() {
    if (current) return;
    note.textContent = "";
    isOpen = false;
    // The browser reports only what it cannot send: half a date, a file that is too large.
    const unsent = inputsOf(form).find(({ validity }) => validity.badInput || validity.customError);
    if (unsent) return unsent.reportValidity();
    busy(true);
    const hasFiles = inputsOf(form).some(({ files }) => files?.length > 0);
    // A mistake is found before a large file is sent.
    let request = hasFiles ? await answer(checked(form)) : undefined;
    if (!request || request.status === 204) {
      const data = new FormData(form);
      request = await answer(post(form, actionOf(form), form.getAttribute("enctype") ? data : new URLSearchParams(data)));
    }
    current = undefined;
    const page = request.response;
    if (request.status < 300 && page?.querySelector("[data-run]")) return location.assign(request.responseURL);
    busy(false);
    if (request.status === 428) return ask(page.querySelector(".question h2").textContent);
    form.querySelector(`[name=${CONFIRMED}]`)?.remove();
    if (page?.querySelector("[data-start]")) return again(takeOver(form, page, grow));
    write(note, await reason(request));
    // What was entered stays here.
    note.querySelectorAll("a").forEach((link) => { link.target = "_blank"; });
  }

  /** Why nothing was started, as far as it is known; null for a person who must sign in again. */
  async function reason({ status, response: page, isSent }) {
    const ours = page?.querySelector(".problem h1 + p");
    if (ours) return ours.textContent;
    if (status && (status < 400 || status === 401 || status === 403)) return null;
    // A redirect to another site, where people sign in, gives no answer at all.
    // A file that was changed or removed since it was chosen cannot be read.
    const files = inputsOf(form).flatMap((input) => [...input.files ?? []]);
    const isGone = !status && await Promise.all(files.map((file) => file.slice(0, 1).arrayBuffer())).then(() => false, () => true);
    if (isGone) return t("field.file_gone");
    const here = status ? undefined : await fetch(location.href, { redirect: "manual" }).catch(() => {});
    if (here?.type === "opaqueredirect") return null;
    if (status >= 400 && status < 500) return t("note.refused", { status: String(status) });
    isOpen = isSent || status > 0;
    return t(isOpen ? "form.no_answer" : "form.stopped");
  }

  function ask(question) {
    const no = make("button", { type: "button" }, t("action.cancel"));
    const yes = make("button", { type: "button", class: "primary" }, t("action.confirm"));
    const dialog = make("dialog", { "aria-labelledby": "question" },
      make("h2", { id: "question", dir: "auto" }, question), make("p", {}, no, " ", yes));
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      note.before(make("input", { type: "hidden", name: CONFIRMED, value: "yes" }));
      dialog.close();
      send();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      start.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  const renew = () => { form.querySelector("[name=idempotency-key]").value = random(); };

  function again(fresh) {
    const sendAgain = sendByScript(fresh, grow);
    fresh.setAttribute("novalidate", "");
    fresh.addEventListener("submit", (event) => {
      event.preventDefault();
      sendAgain();
    });
  }

  // Who comes back has signed in, or sees it at the next press.
  addEventListener("focus", () => { if (note.firstElementChild) note.textContent = ""; });
  stop.addEventListener("click", () => current?.request.abort());
  addEventListener("pageshow", ({ persisted }) => {
    // After coming back, another press starts another run.
    if (persisted) renew();
    busy(false);
  });

  // After a mistake, each value is checked as soon as it is corrected.
  let resting, latest;
  form.addEventListener("input", ({ target }) => {
    // Another start than the one that may have arrived.
    if (isOpen) renew();
    isOpen = false;
    clearTimeout(resting);
    if (!form.querySelector(".wrong")) return;
    resting = setTimeout(async () => {
      if (current) return;
      latest?.request.abort();
      latest = checked(form);
      const { status, response: page } = await latest.answered;
      if ([204, 422, 428].includes(status)) correct(form, page, target);
    }, RESTING);
  });
  return send;
}

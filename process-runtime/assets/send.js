// Loaded when a form is used. Sends the form that starts a run: what was entered survives a mistake, a confirmation comes
// once the inputs are valid, and an upload shows how far it is and can be stopped.

import { requestDocument } from "./document.js";
import { make, write } from "./elements.js";
import { newKey } from "./key.js";
import { correct, hasFiles, takeOver, UNREADABLE } from "./mistakes.js";
import { t, TEXTS } from "./texts.js";

Object.assign(TEXTS, { own: "texts" });

const CONFIRMED = "confirmed-start";
const MARK = "?"; // no name ends with it
const RESTING = 400; // ms after the last key until a corrected value is checked
const SHORT = 400; // ms: a start that takes no longer offers no way to stop it

// A field that is named like a property of the form hides it: `action`, `elements`, `append`.
const actionOf = (form) => form.getAttribute("action");
const inputsOf = (form) => [...form.querySelectorAll("input, select, textarea")];

/** What the browser cannot send: half a date. It would count as empty. */
const unreadable = (form) => inputsOf(form).filter(({ validity }) => validity.badInput);

/** The inputs with the size and name of each file in place of its content, and what is unreadable marked as such. */
function checkable(form) {
  const wrong = unreadable(form);
  for (const input of wrong) input.name += MARK;
  const data = [...new FormData(form)];
  for (const input of wrong) input.name = input.name.slice(0, -1);
  return new URLSearchParams(data.map(([name, value]) => {
    if (name.endsWith(MARK)) return [name.slice(0, -1), UNREADABLE];
    return [name, value.name ? `${value.size}/${value.name}` : value.name ?? value];
  }));
}

/** Asks whether a start with these inputs would be accepted. It starts nothing. */
const check = (form) => requestDocument("POST", `${actionOf(form)}?validate_only=yes`, checkable(form));

/** Prepares a form, and gives the function that sends it. `prepare` is called with the form that takes its place. */
export function sendByScript(form, prepare) {
  const start = form.querySelector("button[type=submit]");
  const stop = make("button", { type: "button", hidden: true }, t("action.cancel"));
  const note = make("span", { class: "note", role: "status" });
  const life = new AbortController(), { signal } = life; // of what listens to the window
  let current, resting, latest, isOpen = false; // whether a start may have arrived
  start.after(" ", stop, " ", note);

  function busy(isBusy) {
    start.disabled = isBusy;
    start.textContent = t(isBusy ? "action.starting" : "action.start");
    stop.hidden = true;
    for (const child of form.querySelectorAll(":scope > *")) if (child !== start.parentElement) child.inert = isBusy;
    if (!isBusy && document.activeElement === document.body) start.focus();
  }

  /** The start itself: `sent` tells how far it has come. */
  function post(sent) {
    const data = new FormData(form), isMultipart = form.hasAttribute("enctype");
    return requestDocument("POST", actionOf(form), isMultipart ? data : new URLSearchParams(data), ({ upload }) => {
      upload.addEventListener("load", () => { sent.isComplete = true; });
      upload.addEventListener("progress", ({ loaded, total }) => {
        const percent = t("percent", { n: Math.floor(100 * loaded / total) });
        start.textContent = t(loaded < total ? "form.sending" : "action.starting", { percent });
      });
    });
  }

  async function answerOf({ request, answered }) {
    current = request;
    const offer = setTimeout(() => { stop.hidden = false; }, SHORT);
    const answer = await answered;
    clearTimeout(offer);
    return answer;
  }

  async function send() {
    if (current) return;
    note.textContent = "";
    isOpen = false;
    clearTimeout(resting);
    latest?.request.abort();
    busy(true);
    // A mistake is found before a large file is sent.
    const isChecked = hasFiles(form) || unreadable(form).length > 0;
    let answer = isChecked ? await answerOf(check(form)) : undefined, sent;
    if (!answer || answer.status === 204) answer = await answerOf(post(sent = {}));
    current = undefined;
    const { status, page, address } = answer;
    const run = status < 300 ? page?.querySelector("[data-run]")?.dataset.run : undefined;
    if (run) {
      // Whoever comes back finds this form with the inputs of the run.
      history.replaceState(null, "", `${actionOf(form).replace(/start$/, "show_progress")}?from-run=${run}`);
      return location.assign(address);
    }
    busy(false);
    if (status === 428) return ask(page.querySelector(".question h2").textContent);
    form.querySelector(`[name=${CONFIRMED}]`)?.remove();
    if (page?.querySelector("[data-start]")) {
      life.abort();
      return prepare(takeOver(form, page));
    }
    write(note, await reason(answer, sent));
    // What was entered stays here.
    note.querySelectorAll("a").forEach((link) => { link.target = "_blank"; });
  }

  /** Why nothing was started, as far as it is known; null for a person who must sign in again. */
  async function reason({ status, page }, sent) {
    const ours = page?.querySelector(".problem h1 + p");
    if (ours) return ours.textContent;
    if (status && (status < 400 || status === 401 || status === 403)) return null;
    if (status === 413) return t("form.too_large_for_proxy");
    if (status >= 400 && status < 500) return t("note.refused", { status: String(status) });
    if (!status) {
      // A file that was changed or removed since it was chosen cannot be read.
      const files = inputsOf(form).flatMap((input) => [...input.files ?? []]);
      const read = files.map((file) => file.slice(0, 1).arrayBuffer());
      if (await Promise.all(read).then(() => false, () => true)) return t("field.file_gone");
      // A redirect to another site, where people sign in, gives no answer at all.
      const here = await fetch(location.href, { redirect: "manual" }).catch(() => {});
      if (here?.type === "opaqueredirect") return null;
    }
    // A proxy that answers in place of the server may have passed it on.
    isOpen = sent !== undefined && (sent.isComplete || status > 0);
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

  const renew = () => { form.querySelector("[name=idempotency-key]").value = newKey(); };

  stop.addEventListener("click", () => current?.abort());
  // Who comes back has signed in, or sees it at the next press.
  addEventListener("focus", () => { if (note.firstElementChild) note.textContent = ""; }, { signal });
  addEventListener("pageshow", ({ persisted }) => {
    // After coming back, another press starts another run.
    if (persisted) renew();
    busy(false);
  }, { signal });

  // After a mistake, each value is checked as soon as it is corrected.
  form.addEventListener("input", ({ target }) => {
    // Another start than the one that may have arrived.
    if (isOpen) renew();
    isOpen = false;
    clearTimeout(resting);
    if (!form.querySelector(".wrong")) return;
    resting = setTimeout(async () => {
      if (current) return;
      latest?.request.abort();
      latest = check(form);
      const { status, page } = await latest.answered;
      if ([204, 422, 428].includes(status)) correct(form, page, target);
    }, RESTING);
  });
  return send;
}

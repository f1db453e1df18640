// The form that starts a run: one press starts one run, a confirmation comes first if there is one, and lists grow.

import { make } from "./elements.js";
import { t } from "./texts.js";

const CONFIRMED = "confirmed-start";
const NAMES = ["id", "name", "for", "aria-describedby", "data-list"];

// ---- one press, one run

export function startOnce(form) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    // After the browser has collected the form data.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = t("action.starting");
    });
  });
  addEventListener("pageshow", (event) => {
    // After coming back, another press starts another run.
    if (event.persisted && form.dataset.sent) {
      const random = crypto.getRandomValues(new Uint8Array(16));
      form.elements["idempotency-key"].value = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    form.querySelector(`[name=${CONFIRMED}]`)?.remove();
    delete form.dataset.sent;
    button.disabled = false;
    button.textContent = t("action.start");
  });
}

// ---- the confirmation; it runs before startOnce, which must not count a prevented submit

export function askFirst(form) {
  const start = form.querySelector("button[type=submit]");
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name === CONFIRMED || form.querySelector(`[name=${CONFIRMED}]`)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const no = make("button", { type: "button" }, t("action.cancel"));
    const yes = make("button", { type: "button", class: "primary" }, t("action.confirm"));
    const dialog = make("dialog", { "aria-labelledby": "question" },
      make("h2", { id: "question" }, form.dataset.confirm), make("p", {}, no, " ", yes));
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      form.append(make("input", { type: "hidden", name: CONFIRMED, value: "yes" }));
      dialog.close();
      form.requestSubmit();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      start.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// ---- lists, which form.rs numbers from 0 in names and from 1 in labels

const remover = (entry) => entry.querySelector(":scope > [data-less], :scope > fieldset > [data-less]");

function renumber(list, entry, index) {
  const before = `${list.dataset.list}.${entry.dataset.entry}`, now = `${list.dataset.list}.${index}`;
  for (const node of entry.querySelectorAll("*")) {
    for (const name of NAMES) {
      const value = node.getAttribute(name);
      if (value) node.setAttribute(name, value.split(" ").map((one) => one.replace(before, now)).join(" "));
    }
  }
  entry.dataset.entry = index;
  const legend = entry.querySelector("legend"), input = entry.querySelector("[aria-label]");
  const words = (legend?.textContent ?? input.getAttribute("aria-label")).replace(/\d+$/, index + 1);
  if (legend) legend.textContent = words;
  else input.setAttribute("aria-label", words);
  remover(entry).setAttribute("aria-label", t("form.remove_one", { label: words }));
}

export function grow(list) {
  // The last entry is the empty one that the server renders.
  const spare = list.lastElementChild.cloneNode(true), more = list.nextElementSibling;
  for (const input of spare.querySelectorAll("input, textarea")) {
    input.value = input.defaultValue;
    input.checked = input.defaultChecked;
  }
  const removable = (entry) => {
    const remove = remover(entry);
    remove.hidden = false;
    remove.addEventListener("click", () => {
      const next = entry.nextElementSibling ?? entry.previousElementSibling;
      entry.remove();
      [...list.children].forEach((other, index) => renumber(list, other, index));
      (next ? remover(next) : more).focus();
    });
  };
  [...list.children].forEach(removable);
  more.hidden = false;
  more.addEventListener("click", () => {
    const entry = spare.cloneNode(true);
    list.append(entry);
    renumber(list, entry, list.children.length - 1);
    entry.querySelectorAll("[data-list]").forEach(grow);
    removable(entry);
    entry.querySelector("input:not([type=hidden]), select, textarea").focus();
  });
}

// ---- files: one over the limit is reported before it is sent

export function weigh({ target }) {
  const most = Number(target.dataset.max);
  if (most) target.setCustomValidity([...target.files].some((file) => file.size > most) ? t("form.too_large") : "");
}


// The lists of a form: they grow and shrink.

import { t } from "./texts.js";

const NAMES = ["id", "name", "for", "aria-describedby", "data-list"];

// Lists, which form.rs numbers from 0 in names and from 1 in labels.

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

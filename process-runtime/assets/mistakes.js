// The mistakes in a form, as the server writes them into a page: taken over without losing a file or a secret, and removed
// as they are corrected.

const STATES = ["aria-invalid", "aria-describedby", "data-invalid"];

/** Sent in place of what the browser cannot read, to be refused in the server's words. */
export const UNREADABLE = "?";
/** True if a file is chosen. */
export const hasFiles = (form) => [...form.querySelectorAll("[type=file]")].some(({ files }) => files.length > 0);
const byId = (root, id) => root?.querySelector(`#${CSS.escape(id)}`);

/** True for an input of the same entry in both forms: the server leaves out empty entries and numbers the others anew. */
function isSame(input, fresh) {
  const entry = input.closest("[data-entry]");
  if (!entry) return true;
  const texts = [...entry.querySelectorAll("input:not([type=hidden], [type=file], [type=password]), select, textarea")];
  return texts.some(sent) && texts.every((text) => {
    const there = byId(fresh, text.id);
    return (there?.getAttribute("value") ?? there?.value) === sent(text);
  });
}

const sent = ({ validity, value }) => (validity.badInput ? UNREADABLE : value);

/** Shows the form of this page in place of one, and the summary of its mistakes; gives the new form. */
export function takeOver(form, page) {
  const fresh = page.querySelector("[data-start]"), summary = page.querySelector("[role=alert]");
  // The server gives back neither files nor secrets, nor what was unreadable.
  for (const input of form.querySelectorAll("input[id]")) {
    const there = byId(fresh, input.id), isKept = /file|password/.test(input.type) ? input.value : input.validity.badInput;
    if (!isKept || !there || !isSame(input, fresh)) continue;
    byId(fresh, `${input.id}-again`)?.remove();
    if (input.type === "password") there.value = input.value;
    forget(there, `${input.id}-again`);
    if (input.type === "password") continue;
    copyStates(input, there);
    there.replaceWith(input);
  }
  document.querySelectorAll("[role=alert]").forEach((old) => old.remove());
  form.parentElement.before(summary);
  form.replaceWith(fresh);
  document.title = page.title;
  summary.focus();
  return fresh;
}

/** This element does not describe the input any more. */
function forget(input, id) {
  const described = input.getAttribute("aria-describedby")?.replace(id, "").trim();
  if (described) input.setAttribute("aria-describedby", described);
  else input.removeAttribute("aria-describedby");
}

function copyStates(node, fresh) {
  for (const name of STATES) {
    const value = fresh?.getAttribute(name);
    if (value) node.setAttribute(name, value);
    else node.removeAttribute(name);
  }
}

/** Removes the mistakes that this page no longer has, and adds one of the input that was changed. */
export function correct(form, page, changed) {
  const fresh = page?.querySelector("[data-start]");
  // With a file that is not sent yet, the fields are not validated together: other messages may still be true.
  const ids = new Set(hasFiles(form) ? [] : [...form.querySelectorAll(".wrong")].map(({ id }) => id.replace(/-error$/, "")));
  ids.add(changed.id);
  for (const id of ids) {
    const node = byId(form, id), old = byId(form, `${id}-error`), now = byId(fresh, `${id}-error`);
    if (!node || (fresh && !isSame(node, fresh))) continue;
    if (old && now) old.textContent = now.textContent;
    else if (old) old.remove();
    else if (now && node.matches("fieldset")) node.querySelector("legend").after(now);
    else if (now) node.before(now);
    if (fresh) copyStates(node, byId(fresh, id));
    else {
      // No page came, because nothing is wrong.
      forget(node, `${id}-error`);
      node.removeAttribute("aria-invalid");
      node.removeAttribute("data-invalid");
    }
    if (!now) document.querySelector(`[role=alert] a[href="#${CSS.escape(id)}"]`)?.closest("li").remove();
  }
  const summary = document.querySelector("[role=alert]");
  if (summary && !summary.querySelector("li")) summary.remove();
}

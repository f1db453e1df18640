// The copy buttons.

import { t } from "./texts.js";

/** Shows the button if the browser permits copying. An empty text means the page's own URL. */
export function copyable(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy || location.href);
      button.textContent = t("action.copied");
    } catch {
      button.textContent = t("action.not_copied");
    }
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

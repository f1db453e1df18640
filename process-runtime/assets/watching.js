// The additional script of the page of a run: it shows the progress in the title of the window, and offers a notification.

import { each } from "./page.js";
import { TEXTS } from "./texts.js";
import { offerWord, paintWindow } from "./window.js";

Object.assign(TEXTS, { own: "texts" });
each("[data-window]", (panel) => {
  const bar = panel.querySelector("process-progress"), tell = panel.querySelector('[data-part="tell"]');
  const paint = () => { if (bar.run) paintWindow(bar.run); };
  bar.addEventListener("process-shown", paint);
  paint();
  if (tell) offerWord(tell, bar);
});

// The rate of a run and its ETA: the rate is smoothed twice over 15 seconds, as in indicatif, so that neither a
// burst nor a pause changes it much.

import { duration, number, t } from "./texts.js";

const WINDOW = 15; // seconds
const weight = (seconds) => 0.1 ** (seconds / WINDOW);

export function estimator() {
  let seen = 0, first = 0, last = 0, at = 0, goal = null, once = 0, twice = 0;
  const known = (now) => seen >= 4 && now - first >= 3000;
  // Without progress, the estimate would only climb.
  const stands = (now) => now - last > 5000 + (3 * (last - first)) / seen;
  const rate = () => twice / (1 - weight((last - first) / 1000));
  return {
    reset() { seen = 0; },

    /** The step `to` of `of`, which is null if unknown. */
    add(to, of, now) {
      if (of !== goal) seen = 0;
      if (seen === 0) {
        first = last = now;
        once = twice = 0;
        goal = of;
      } else if (to > at && now > last) {
        const keep = weight((now - last) / 1000);
        once = once * keep + ((to - at) / ((now - last) / 1000)) * (1 - keep);
        twice = twice * keep + (once / (1 - weight((now - first) / 1000))) * (1 - keep);
        last = now;
      } else {
        return;
      }
      at = to;
      seen += 1;
    },

    /** The rate per second. */
    rate(now) {
      if (!known(now) || stands(now)) return "";
      const each = rate();
      return each >= 0.995 ? t("rate.second", { n: number(Number(each.toPrecision(each < 100 ? 2 : 3))) })
        : t("rate.minute", { n: number(Number((each * 60).toPrecision(2))) });
    },

    left(now) {
      if (!known(now) || goal === null) return "";
      if (stands(now)) return t("left.unknown");
      const seconds = (goal - at) / rate() - (now - last) / 1000;
      if (!(seconds < 86_400)) return t("left.day");
      if (seconds < 10) return t("left.seconds");
      const rounded = seconds < 55 ? Math.ceil(seconds / 10) * 10
        : seconds < 5400 ? (Math.round(seconds / 60) || 1) * 60 : Math.round(seconds / 3600) * 3600;
      return t("left.about", { time: duration(rounded * 1000) });
    },
  };
}

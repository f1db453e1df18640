// The rate and the time left of a run, as texts. The server computes both; its estimates.rs writes the same texts: change
// both together.

import { duration, number, t } from "./texts.js";

/**
 * The rate at this elapsed time of the run, in milliseconds: `12/s`. `heard` is the elapsed time at the last sign of the
 * server: what is later may be progress that is still under way.
 */
export function rate({ estimate }, heard) {
  if (!holds(estimate, heard) || estimate.rate === null) return "";
  const each = estimate.rate;
  return each >= 0.995 ? t("rate.second", { n: number(rounded(each)) }) : t("rate.minute", { n: number(rounded(each * 60)) });
}

/** The time left at this elapsed time of the run. */
export function left({ estimate, percent }, elapsed, heard = elapsed) {
  if (!estimate || (holds(estimate, heard) && estimate.left_ms === null)) {
    return percent === null && elapsed > 10_000 ? t("left.no_total") : "";
  }
  if (!holds(estimate, heard)) return t("left.unknown");
  const seconds = Math.max(0, estimate.left_ms - Math.max(0, elapsed - estimate.at_ms)) / 1000;
  if (seconds >= 86_400) return t("left.day");
  if (seconds < 10) return t("left.seconds");
  const about = seconds < 55 ? Math.ceil(seconds / 10) * 10
    : seconds < 5400 ? Math.max(1, Math.floor(seconds / 60 + 0.5)) * 60 : Math.floor(seconds / 3600 + 0.5) * 3600;
  return t("left.about", { time: duration(about * 1000) });
}

// Without progress for some time, an estimate would only climb.
const holds = (estimate, elapsed) => !!estimate && elapsed - estimate.at_ms <= estimate.good_for_ms;

// Two or three digits.
function rounded(value) {
  if (value < 9.95) return Math.floor(value * 10 + 0.5) / 10;
  let unit = 1;
  while (value / unit >= 999.5) unit *= 10;
  return Math.floor(value / unit + 0.5) * unit;
}

// The words for rate and time left: rounded, falling between two events, and silent about what is unknown. The module runs
// here as in a page; the estimates themselves are the server's.

import assert from "node:assert/strict";
import { test } from "node:test";

import { left, rate } from "../../process-runtime/assets/estimate.js";
import { TEXTS } from "../../process-runtime/assets/texts.js";
import english from "../../process-runtime/texts/en.json" with { type: "json" };

Object.assign(TEXTS, english);

const run = (estimate, percent = 12) =>
  ({ percent, estimate: estimate && { rate: null, left_ms: null, at_ms: 20_000, good_for_ms: 8_000, ...estimate } });

test("the time left is rounded", () => {
  for (const [ms, words] of [[9_999, "a few seconds left"], [10_000, "about 10 s left"], [34_001, "about 40 s left"],
    [54_999, "about 1 m left"], [55_000, "about 1 m left"], [540_000, "about 9 m left"], [36_000_000, "about 10 h left"],
    [86_400_000, "more than a day left"]]) {
    assert.equal(left(run({ left_ms: ms }), 20_000), words, ms);
  }
});

test("the time left falls between two events, until it no longer holds", () => {
  const said = (elapsed) => left(run({ left_ms: 44_000 }), elapsed);
  assert.deepEqual([20_000, 27_000, 28_001].map(said), ["about 50 s left", "about 40 s left", "no estimate: no recent progress"]);
});

test("an estimate holds as long as its successor may be on the way", () => {
  const said = (elapsed, heard) => left(run({ left_ms: 44_000 }), elapsed, heard);
  assert.equal(said(35_000, 27_000), "about 30 s left");
  assert.equal(said(35_000, 28_001), "no estimate: no recent progress");
});

test("a missing estimate is explained", () => {
  assert.equal(left(run(null, null), 9_000), "");
  assert.equal(left(run(null, null), 11_000), "no estimate: total unknown");
  assert.equal(left(run({ rate: 1 }, null), 21_000), "no estimate: total unknown");
  assert.equal(left(run(null), 11_000), "");
});

test("rates have few digits", () => {
  const said = (each) => rate(run({ rate: each }), 20_000);
  assert.deepEqual([0.1, 0.99, 1.25, 9.96, 123.4, 12_345].map(said), ["6/min", "59/min", "1.3/s", "10/s", "123/s", "12,300/s"]);
  assert.equal(rate(run({ rate: 1 }), 30_000), "");
});

// The estimate: it waits for data, is rounded, explains its absence, and does not climb. The module runs here as in
// a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { estimator } from "../../process-runtime/assets/estimate.js";
import { TEXTS } from "../../process-runtime/assets/texts.js";
import english from "../../process-runtime/texts/en.json" with { type: "json" };

Object.assign(TEXTS, english);

/** Steps of `total`, `each` ms apart, up to `last`; gives the estimate behind each. */
function steps(total, each, last) {
  const left = estimator();
  const said = [];
  for (let step = 0; step <= last; step += 1) {
    left.add(step, total, step * each);
    said.push(left.left(step * each));
  }
  return { left, said };
}

test("no estimate before three updates and seconds", () => {
  assert.deepEqual(steps(100, 500, 5).said, ["", "", "", "", "", ""]);
  assert.deepEqual(steps(100, 2_000, 2).said, ["", "", ""]);
  assert.notEqual(steps(100, 2_000, 3).said.at(-1), "");
});

test("a steady run has a rounded estimate", () => {
  // 600 steps of a second: after 60 of them nine minutes are left.
  assert.equal(steps(600, 1_000, 60).said.at(-1), "about 9 m left");
  assert.equal(steps(60, 1_000, 25).said.at(-1), "about 40 s left");
  assert.equal(steps(60, 1_000, 55).said.at(-1), "a few seconds left");
  assert.equal(steps(36_000, 1_000, 60).said.at(-1), "about 10 h left");
  assert.equal(steps(1_000_000, 1_000, 60).said.at(-1), "more than a day left");
});

test("a stalled run has no estimate", () => {
  const { left } = steps(100, 1_000, 20);
  const said = [1, 5, 9, 30, 600, 86_400].map((seconds) => left.left((20 + seconds) * 1_000));
  assert.ok(said.slice(0, 2).every((words) => words.startsWith("about ")), said.join("|"));
  assert.deepEqual(said.slice(3), Array(3).fill("no estimate: no recent progress"));
});

test("a burst does not change the estimate much", () => {
  const left = estimator();
  for (let step = 0; step <= 60; step += 1) left.add(step, 600, step * 1_000);
  left.add(90, 600, 61_000);
  const minutes = Number(/about (\d+) m /.exec(left.left(61_000))[1]);
  assert.ok(minutes >= 5 && minutes <= 9, `${minutes}`);
});

test("slow rates are shown per minute", () => {
  const rate = (each) => {
    const { left } = steps(10_000, each, 40);
    return left.rate(40 * each);
  };
  assert.match(rate(100), /^10\/s$/);
  assert.match(rate(10_000), /^6\/min$/);
});

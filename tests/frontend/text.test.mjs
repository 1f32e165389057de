// Text in a drawing is text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { SvgContext, escape } = await script("svg");

test("what XML gives a meaning, and what it does not have, is written otherwise", () => {
  assert.equal(escape('<a b="c">&</a>'), "&lt;a b=&quot;c&quot;&gt;&amp;&lt;/a&gt;");
  assert.equal(escape("a\u0000b\ud800c\u{1f600}\n"), "a\ufffdb\ufffdc\u{1f600}\n");
});

test("a drawing closes every group that it opens", () => {
  const context = new SvgContext("x");
  context.save();
  context.translate(1, 2.345678);
  context.scale(2, 2);
  context.save();
  context.beginPath();
  context.rect(0, 0, 10, 10);
  context.clip();
  context.fillText("<script>", 1, 2);
  context.restore();
  context.restore();
  const opened = context.text.match(/<g /g).length;
  assert.equal(context.text.match(/<\/g>/g).length, opened);
  assert.match(context.text, /translate\(1 2.35\)/);
  assert.ok(!context.text.includes("<script>") && context.text.includes("&lt;script&gt;"));
});

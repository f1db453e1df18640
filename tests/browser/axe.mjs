// How axe looks at a page: light and dark, wide and narrow.

import assert from "node:assert/strict";
import AxeBuilder from "@axe-core/playwright";

const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];

/** Fails with all that axe finds. */
export async function examine({ page }) {
  const found = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      assert.ok(passes.length > 10, "axe looked at nothing");
      for (const { id, help, nodes } of violations) {
        found.push(`${colorScheme} ${width}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
      }
    }
  }
  assert.deepEqual(found, []);
}

// The player's scripts as modules for Node, which takes a .js file for one only beside a package.json.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const SCRIPTS = fileURLToPath(new URL("../../pages/ui/player/frontend", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "player-"));
cpSync(SCRIPTS, folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{"type": "module"}');
process.on("exit", () => rmSync(folder, { recursive: true }));

// Colours other than #rrggbb are asked of a canvas. Node has none, and no test here writes such a one.
globalThis.document = { createElement: () => ({ getContext: () => null }) };

export const script = (name) => import(pathToFileURL(join(folder, `${name}.js`)));

// How long the preprocessor takes for one file: cold in a fresh process, again, and again after an edit of the file.
// Usage: node scripts/measure-expansion.mjs FILE [PRESET]
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPreprocessor } from './expansion/load.mjs';

const [file, preset = '6.12'] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: measure-expansion.mjs FILE [PRESET]');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'measure-'));
const { preprocess, presetConfiguration } = loadPreprocessor(scratch);
rmSync(scratch, { recursive: true });

const kept = new Map();
const read = (path) => {
  if (!kept.has(path)) kept.set(path, existsSync(path) ? readFileSync(path, 'utf8') : null);
  return kept.get(path);
};
const timed = () => {
  const began = performance.now();
  const stream = preprocess(file, { read }, presetConfiguration(preset));
  return { milliseconds: performance.now() - began, stream };
};

const cold = timed();
const again = Array.from({ length: 20 }, timed).map((each) => each.milliseconds).toSorted((a, b) => a - b);
const edited = Array.from({ length: 20 }, (_, i) => {
  kept.set(file, `${kept.get(file)}\n/* edit ${i} */\n`);
  return timed().milliseconds;
}).toSorted((a, b) => a - b);
console.log(`${cold.stream.items.length} items: cold ${cold.milliseconds.toFixed(0)} ms, again ${again[10].toFixed(0)} ms, after an edit ${edited[10].toFixed(0)} ms (medians of 20)`);

// Records what an independent implementation of the architecture does and holds our machine against it: builds the
// bare-metal image, runs it under QEMU, and compares the fresh recording with the committed one and with our machine.
// Usage: node scripts/check-conformance.mjs [--record] [--only SEQUENCE] [--scratch FOLDER]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, imageFiles } from './conformance/image.mjs';
import { loadConformance } from './conformance/load.mjs';
import { qemuVersion, runGroup } from './conformance/qemu.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'test-fixtures/conformance/image');
const recorded = join(root, 'test-fixtures/conformance/recorded/qemu-tcg.json');

async function main(argv) {
  const option = (name) => {
    const at = argv.indexOf(name);
    return at === -1 ? null : argv.splice(at, 2)[1];
  };
  const given = option('--scratch');
  const only = option('--only');
  const scratch = resolve(given ?? mkdtempSync(join(tmpdir(), 'conformance-')));
  mkdirSync(scratch, { recursive: true });
  const conformance = loadConformance(root, scratch);
  const sequences = conformance.readSequences(root).filter(({ name }) => only === null || name === only);
  const variants = sequences.flatMap(conformance.variantsOf);
  const files = imageFiles(folder);
  const generated = conformance.imageSource(variants);
  const { rom, symbols } = buildImage(folder, generated, scratch);
  const logs = [];
  const nameOf = (number) => `${variants[number]?.sequence.name}, ${variants[number]?.name}`;
  for (const group of [0, 1]) logs.push(await runGroup({ rom, symbols, group, scratch, nameOf }));
  const fresh = conformance.recordingOf(qemuVersion().line, conformance.hashOf(new Map([...files, ['sequences.S', generated]])), variants, symbols, logs);
  const text = conformance.formatRecording(fresh);
  writeFileSync(join(scratch, 'fresh.json'), text);
  console.log(`${sequences.length} sequences, ${variants.length} variants`);
  if (argv.includes('--record')) {
    mkdirSync(dirname(recorded), { recursive: true });
    writeFileSync(recorded, text);
    console.log(`wrote ${recorded}`);
  }
  if (given === null) rmSync(scratch, { recursive: true });
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}

// Records what an independent implementation of the architecture does, and holds our machine against it: builds the
// bare-metal image, runs it under QEMU, and compares the fresh recording with the committed one and with our machine.
// Usage: node scripts/check-conformance.mjs [--record] [--scratch FOLDER]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage } from './conformance/image.mjs';
import { loadConformance } from './conformance/load.mjs';
import { qemuVersion, runGroup } from './conformance/qemu.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const longest = 20;

async function main(argv) {
  const at = argv.indexOf('--scratch');
  const given = at === -1 ? null : argv.splice(at, 2)[1];
  const scratch = resolve(given ?? mkdtempSync(join(tmpdir(), 'conformance-')));
  mkdirSync(scratch, { recursive: true });
  try {
    return await check(scratch, argv.includes('--record'));
  } finally {
    if (given === null) rmSync(scratch, { recursive: true });
  }
}

async function check(scratch, record) {
  const conformance = loadConformance(root, scratch);
  const fresh = await recordFresh(conformance, scratch);
  const file = join(root, conformance.RECORDED);
  if (record) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, conformance.formatRecording(fresh));
    console.log(`wrote ${conformance.RECORDED}`);
  }
  const checks = [];
  const committed = conformance.readRecording(root);
  if (committed.sources !== fresh.sources) checks.push({ title: 'the committed recording', count: 0, differences: [{ sequence: 'all', variant: 'all', text: 'it is of other sources: --record makes a new one' }] });
  else checks.push({ title: `the recording of ${committed.qemu}`, ...conformance.compareRecordings(committed, fresh) });
  const checked = await conformance.compareWithMachine(root, scratch, fresh);
  const { comparison, sequences, variants, facts } = checked;
  checks.push({ title: 'our machine', ...comparison });
  console.log(`${fresh.qemu}: ${sequences.length} sequences, ${variants.length} variants, ${facts.filter(({ oracle }) => oracle !== 'none').length} facts`);
  for (const { id, fact, says, count } of conformance.deviationRows(checked)) console.log(`known deviation ${id} of ${fact}, seen ${count} times: ${says}`);
  return report(checks, variants.length);
}

async function recordFresh(conformance, scratch) {
  const variants = conformance.allVariants(root);
  const generated = conformance.imageSource(variants);
  const { rom, symbols } = buildImage(join(root, conformance.IMAGE), conformance.IMAGE_SOURCES, generated, scratch);
  const nameOf = (number) => `${variants[number]?.sequence.name}, ${variants[number]?.name}`;
  const logs = [];
  for (const group of [0, 1]) logs.push(await runGroup({ rom, symbols, group, scratch, nameOf }));
  return conformance.recordingOf(qemuVersion().line, conformance.sourcesHash(root, variants), variants, symbols, logs);
}

/** The figures, the first differences, and the line that a CI counts: variants, not fields. */
function report(checks, variants) {
  for (const { title, count, differences } of checks) {
    console.log(`${title}: ${count} comparisons, ${differences.length} differences`);
    for (const { sequence, variant, text } of differences.slice(0, longest)) console.log(`  ${sequence}, ${variant}: ${text}`);
    if (differences.length > longest) console.log(`  and ${differences.length - longest} more`);
  }
  const failed = new Set(checks.flatMap(({ differences }) => differences.map(({ sequence, variant }) => `${sequence}, ${variant}`))).size;
  const passed = Math.max(0, variants - failed);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}

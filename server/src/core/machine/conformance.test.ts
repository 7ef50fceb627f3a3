// Our machine against the recorded behaviour of an independent one: every sequence of test-fixtures/conformance, with
// events at each of its boundaries, field by field. scripts/check-conformance.mjs makes the recording.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { compareWithMachine, readRecording } from '../../testing/conformance/check.ts';
import type { Checked } from '../../testing/conformance/check.ts';
import { compare, compareRecordings } from '../../testing/conformance/compare.ts';
import { concerns, readDeviations } from '../../testing/conformance/deviation.ts';
import { deviationsTable, factsTable, figures } from '../../testing/conformance/report.ts';
import { matchesGolden } from '../../testing/golden.ts';

const page = 'docs/conformance.md';

describe('conformance of the machine', () => {
  let checked: Checked;

  before(async function () {
    this.timeout(60_000);
    checked = await compareWithMachine('.', 'out', readRecording('.'));
  });

  it('the recording is of these sources', () => {
    assert.equal(readRecording('.').sources, checked.sources, 'node scripts/check-conformance.mjs --record makes a new one');
  });

  it('shows what the recording shows, at every boundary', () => {
    const { differences, count } = checked.comparison;
    assert.deepEqual(differences.slice(0, 20).map(({ sequence, variant, text }) => `${sequence}, ${variant}: ${text}`), [], `${count} comparisons, ${differences.length} differences`);
    assert.ok(count > 20_000, `only ${count} comparisons`);
  });

  it('every fact has its comparisons, and every sequence names known facts', () => {
    const { facts, comparison, sequences } = checked;
    const known = new Map(facts.map((fact) => [fact.id, fact]));
    assert.deepEqual(facts.filter(({ id, oracle }) => (oracle === 'none') !== ((comparison.byFact.get(id) ?? 0) === 0)).map(({ id }) => id), []);
    assert.deepEqual(sequences.flatMap(({ name, facts: named }) => named.filter((id) => !known.has(id)).map((id) => `${name}: ${id}`)), []);
  });

  it('every deviation is seen, and every fact with one has it listed', () => {
    const { comparison, facts } = checked;
    assert.deepEqual([...comparison.deviations].filter(([, count]) => count === 0).map(([{ id, says }]) => `${id}: ${says}`), []);
    const listed = new Set([...comparison.deviations.keys()].map(({ fact }) => fact));
    assert.deepEqual(facts.filter(({ id, oracle }) => oracle === 'deviation' && !listed.has(id)).map(({ id }) => id), []);
    assert.deepEqual([...listed].filter((id) => !facts.some((fact) => fact.id === id)), []);
  });

  it('a machine that does what QEMU does differs at every deviation', () => {
    const recording = readRecording('.');
    const deviations = readDeviations('.');
    for (const deviation of deviations) {
      const concerned = checked.variants.filter((variant) => concerns(deviation, variant));
      const { differences } = compare(recording, concerned, [deviation], ({ sequence, name }) => recording.sequences[sequence.name]?.[name] ?? []);
      assert.ok(differences.some(({ text }) => text.includes(deviation.id)), `${deviation.id}: ${deviation.says}`);
    }
  });

  it('a recording that differs in one value is told', () => {
    const recording = readRecording('.');
    const [sequence, variants] = Object.entries(recording.sequences)[0] ?? assert.fail('nothing is recorded');
    const [variant, seen] = Object.entries(variants)[0] ?? assert.fail('no variant is recorded');
    const changed = { ...recording, sequences: { ...recording.sequences, [sequence]: { ...variants, [variant]: [{ ...seen[0], saved_rip: 'elsewhere' }, ...seen.slice(1)] } } };
    const { differences } = compareRecordings(recording, changed);
    assert.deepEqual(differences.map((one) => [one.sequence, one.variant]), [[sequence, variant]]);
  });

  it('the page tells the figures, the facts and the deviations', () => {
    const text = readFileSync(page, 'utf8');
    const parts = [
      ['figures', figures(checked, readRecording('.').qemu)],
      ['facts', factsTable(checked)],
      ['deviations', deviationsTable(checked)],
    ] as const;
    const filled = parts.reduce<string>((before, [name, part]) => {
      const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
      assert.match(before, pattern, `${page} has no place for the ${name}`);
      return before.replace(pattern, (_, open: string, close: string) => `${open}${part}${close}`);
    }, text);
    matchesGolden(page, filled);
  });
});

// The tables of docs/conformance.md.
import type { Checked } from './check.ts';

export function figures({ sequences, variants, facts, comparison }: Checked, qemu: string): string {
  const held = facts.filter(({ oracle }) => oracle !== 'none').length;
  return `${sequences.length} sequences in ${variants.length} variants speak of ${held} facts. Against the recording of ${qemu}: ${comparison.count} comparisons, ${comparison.differences.length} differences.\n`;
}

export function factsTable({ facts, sequences, comparison }: Checked): string {
  const rows = facts.map(({ id, says, oracle, why }) => {
    const naming = sequences.filter((sequence) => sequence.facts.includes(id)).length;
    const held = oracle === 'qemu' ? 'QEMU' : oracle === 'deviation' ? 'deviates' : `not shown: ${why ?? ''}`;
    return `| ${id} | ${says} | ${held} | ${oracle === 'none' ? '' : naming} | ${oracle === 'none' ? '' : (comparison.byFact.get(id) ?? 0)} |`;
  });
  return `| fact | in short | held against | sequences | comparisons |\n|---|---|---|--:|--:|\n${rows.join('\n')}\n`;
}

export interface DeviationRow {
  readonly id: string;
  readonly fact: string;
  readonly says: string;
  readonly count: number;
}

/** Rows of the list that say the same are one. */
export function deviationRows({ comparison }: Checked): readonly DeviationRow[] {
  const rows = new Map<string, DeviationRow>();
  for (const [{ id, fact, says }, count] of comparison.deviations) {
    const key = `${id} ${says}`;
    rows.set(key, { id, fact, says, count: (rows.get(key)?.count ?? 0) + count });
  }
  return [...rows.values()];
}

export function deviationsTable(checked: Checked): string {
  const lines = deviationRows(checked).map(({ id, fact, says, count }) => `| ${id} | ${fact} | ${says} | ${count} |`);
  return `| ID | fact | QEMU's TCG | seen |\n|---|---|---|--:|\n${lines.join('\n')}\n`;
}

// The facts that the sequences speak of, and what each is held against.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Fact {
  readonly id: string;
  readonly oracle: 'qemu' | 'deviation' | 'none';
  readonly says: string;
  /** Why it cannot be shown, where it cannot. */
  readonly why: string | null;
}

const file = 'test-fixtures/conformance/facts.yaml';

export function readFacts(root = '.'): readonly Fact[] {
  const rows: unknown = parse(readFileSync(join(root, file), 'utf8'));
  if (!Array.isArray(rows)) throw new Error(`${file} is no list`);
  return rows.map((row: unknown) => {
    const { id, oracle, says, why } = row as Record<string, unknown>;
    if (oracle !== 'qemu' && oracle !== 'deviation' && oracle !== 'none') throw new Error(`${file}: ${String(id)}: there is no oracle ${String(oracle)}`);
    return { id: String(id), oracle, says: String(says), why: why === undefined ? null : String(why) };
  });
}

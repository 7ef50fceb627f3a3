// Baselines: findings that are there already, kept in a file, so that only new ones are shown. An entry is known by rule,
// path, symbol and the text of its line, so that it stays where lines move.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Finding, Review } from '../core/review-types.ts';
import { missing, reason } from '../shell/workspace.ts';

export interface BaselineEntry {
  readonly rule: string;
  /** From the folder of the baseline, `/`-separated. */
  readonly path: string;
  /** The function or symbol around it, null outside of all. */
  readonly symbol: string | null;
  /** The line as it stands, without the blanks around it. */
  readonly line: string;
  /** For people: what was said. */
  readonly message: string;
  readonly count: number;
}

export interface Baseline {
  readonly file: string;
  readonly entries: readonly BaselineEntry[];
}

export interface Compared {
  readonly fresh: readonly Finding[];
  /** Findings that the baseline has. */
  readonly known: number;
  /** Entries, or parts of their count, that nothing matches in what was reviewed. */
  readonly stale: readonly BaselineEntry[];
}

/** The baseline, or why it cannot be read. */
export function readBaseline(file: string, cwd: string): Baseline | string {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    return `${file}: ${reason(error)}; --write-baseline makes one`;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `${file}: not a baseline: it is no JSON`;
  }
  const listed = field(value, 'findings');
  if (field(value, 'version') !== 1 || !Array.isArray(listed)) return `${file}: not a baseline of version 1 (docs/schema/baseline.schema.json)`;
  const entries: BaselineEntry[] = [];
  for (const [index, each] of listed.entries()) {
    const entry = entryOf(each);
    if (entry === null) return `${file}: finding ${index + 1} is not as docs/schema/baseline.schema.json has it`;
    entries.push(entry);
  }
  return { file, entries };
}

/** The entries of findings, sorted, for a baseline with this path. */
export function entriesFor(file: string, cwd: string, findings: readonly Finding[], review: Review): readonly BaselineEntry[] {
  const entries = new Map<string, BaselineEntry>();
  for (const finding of findings) {
    const made = entryFor(finding, file, cwd, review);
    const before = entries.get(keyOf(made));
    entries.set(keyOf(made), before === undefined ? made : { ...before, count: before.count + 1 });
  }
  return [...entries.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Writes the findings; gives why that failed, or null. */
export function writeBaseline(file: string, cwd: string, findings: readonly Finding[], review: Review): string | null {
  try {
    writeFileSync(resolve(cwd, file), `${JSON.stringify({ version: 1, findings: entriesFor(file, cwd, findings, review) }, null, 2)}\n`);
    return null;
  } catch (error) {
    const why = reason(error);
    return `${file}: cannot be written: ${why === missing ? 'no such folder' : why}`;
  }
}

/** `reviewed` tells whether a path, as entries have it, was judged now: others are not called stale. */
export function compare(baseline: Baseline, findings: readonly Finding[], cwd: string, review: Review, reviewed: (path: string) => boolean): Compared {
  const left = new Map<string, { readonly entry: BaselineEntry; count: number }>();
  for (const entry of baseline.entries) left.set(keyOf(entry), { entry, count: (left.get(keyOf(entry))?.count ?? 0) + entry.count });
  const fresh = findings.filter((finding) => {
    const known = left.get(keyOf(entryFor(finding, baseline.file, cwd, review)));
    if (known === undefined || known.count === 0) return true;
    known.count -= 1;
    return false;
  });
  const stale = [...left.values()].filter(({ entry, count }) => count > 0 && reviewed(entry.path)).map(({ entry, count }) => ({ ...entry, count }));
  return { fresh, known: findings.length - fresh.length, stale };
}

/** A path of the command line as entries have it. */
export function pathIn(baseline: string, cwd: string, file: string): string {
  return relative(dirname(resolve(cwd, baseline)), resolve(cwd, file)).replaceAll('\\', '/');
}

function entryFor({ rule, place, message }: Finding, file: string, cwd: string, review: Review): BaselineEntry {
  const text = review.text(place.file) ?? '';
  const start = text.lastIndexOf('\n', place.span.start - 1) + 1;
  const end = text.indexOf('\n', place.span.start);
  const line = text.slice(start, end === -1 ? text.length : end).trim().replaceAll(/\s+/g, ' ');
  return { rule, path: pathIn(file, cwd, place.file), symbol: review.symbolAt(place.file, place.span.start), line, message, count: 1 };
}

/** Paths count from the folder of a file, here from that of any in the current one. */
const HERE = 'here';

/** What a finding is known by, where its lines move too. */
export function fingerprintOf(finding: Finding, cwd: string, review: Review): string {
  return createHash('sha256').update(keyOf(entryFor(finding, HERE, cwd, review))).digest('hex').slice(0, 32);
}

/** Entries with one key are of the same finding. */
export function keyOf({ rule, path, symbol, line }: BaselineEntry): string {
  return JSON.stringify([path, symbol, rule, line]);
}

function entryOf(value: unknown): BaselineEntry | null {
  const [rule, path, symbol, line, message, count] = ['rule', 'path', 'symbol', 'line', 'message', 'count'].map((name) => field(value, name));
  if (typeof rule !== 'string' || typeof path !== 'string' || (typeof symbol !== 'string' && symbol !== null) || typeof line !== 'string' || typeof message !== 'string') return null;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) return null;
  return { rule, path, symbol, line, message, count };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

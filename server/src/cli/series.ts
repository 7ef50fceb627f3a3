// Which patch of a series brings a finding and which takes it away, from the findings before the series and after each
// patch, as baselines know them. Pure; knows no patch and no file.
import { keyOf } from './baseline.ts';
import type { BaselineEntry } from './baseline.ts';

export interface Change {
  readonly entry: BaselineEntry;
  /** One-based patch that it comes with; null where it was there before. */
  readonly broughtBy: number | null;
  /** One-based patch that takes it away; null where it stays. */
  readonly takenAwayBy: number | null;
}

/** `states` are the findings before the first patch and after each. What is there before and in the end is no change. */
export function changesOf(states: readonly (readonly BaselineEntry[])[]): readonly Change[] {
  const entries = new Map<string, BaselineEntry>();
  const counts = states.map((state) => {
    const byKey = new Map<string, number>();
    for (const entry of state) {
      const key = keyOf(entry);
      byKey.set(key, (byKey.get(key) ?? 0) + entry.count);
      entries.set(key, { ...entry, count: 1 });
    }
    return byKey;
  });
  return [...entries].flatMap(([key, entry]) => {
    const numbers = counts.map((byKey) => byKey.get(key) ?? 0);
    const out: Change[] = [];
    for (let level = 1; level <= Math.max(...numbers); level += 1) out.push(...spansOf(numbers.map((number) => number >= level)).map((span) => ({ entry, ...span })));
    return out;
  });
}

function spansOf(there: readonly boolean[]): readonly Omit<Change, 'entry'>[] {
  if (there[0] === true && there.at(-1) === true) return [];
  const out: Omit<Change, 'entry'>[] = [];
  let since: number | null = null;
  for (const [index, now] of [...there, false].entries()) {
    if (now && since === null) since = index;
    if (now || since === null) continue;
    out.push({ broughtBy: since === 0 ? null : since, takenAwayBy: index === there.length ? null : index });
    since = null;
  }
  return out;
}

// What is said of a run beside its findings: what the baseline has, what patches take away.
import type { JsonBaseline, JsonPatches } from '../core/render/json.ts';

export function baselineTexts(baseline: JsonBaseline | null): readonly string[] {
  if (baseline === null) return [];
  const { file, known, stale } = baseline;
  return [
    `${known === 1 ? '1 finding is' : `${known} findings are`} in the baseline ${file} and not shown`,
    ...stale.map((entry) => `${file}: found no more${entry.count > 1 ? `, ${entry.count} times` : ''}: ${entryText(entry)}`),
  ];
}

/** What patches do beside the findings that are shown, which say themselves what they come with. */
export function patchTexts(patches: JsonPatches | null): readonly string[] {
  if (patches === null) return [];
  const { subjects, known, changes } = patches;
  const title = (number: number): string => patchTitle(number, subjects);
  return [
    ...(known === 0 ? [] : [`${known === 1 ? '1 finding is' : `${known} findings are`} there without the patches and not shown`]),
    ...changes.flatMap((change) => {
      const { broughtBy, takenAwayBy } = change;
      if (takenAwayBy === null) return [];
      if (broughtBy !== null) return [`not there in the end: ${title(broughtBy)} brings it, ${title(takenAwayBy)} takes it away: ${entryText(change)}`];
      return [`taken away by ${subjects.length === 1 ? 'the patches' : title(takenAwayBy)}: ${entryText(change)}`];
    }),
  ];
}

/** `patch 2 of 5 (Take the lock)`. */
export function patchTitle(number: number, subjects: readonly string[]): string {
  const subject = subjects[number - 1] ?? '';
  return `patch ${number} of ${subjects.length}${subject === '' ? '' : ` (${subject})`}`;
}

function entryText({ rule, path, symbol, line }: { readonly rule: string; readonly path: string; readonly symbol: string | null; readonly line: string }): string {
  return `${rule} at ${path}${symbol === null ? '' : `#${symbol}`}: ${line}`;
}

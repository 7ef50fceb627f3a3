// What was judged, as text: so that silence is shown not to be blindness.
import type { Coverage, PathCoverage } from '../coverage-types.ts';
import type { TreeCoverage } from '../tree/tree.ts';

/** Functions that are named one by one. */
const MOST_NAMED = 10;

export function coverageText({ subject, c, paths }: Coverage): readonly string[] {
  return [`coverage of ${subject === '' ? 'this folder' : subject}`, ...c.flatMap(cText), ...paths.flatMap(pathText)];
}

function cText({ configuration, files, functions, unreadable, calls, cap }: TreeCoverage): readonly string[] {
  const all = calls.inView + calls.known + calls.unresolved;
  const named = unreadable.slice(0, MOST_NAMED).map((name) => `      ${name}()`);
  const left = unreadable.length - named.length;
  return [
    `  C, ${configuration}: ${counted(functions, 'function')} of ${counted(files, 'file')} judged`,
    `    calls: ${calls.inView} in view, ${calls.known} with a row, ${calls.unresolved} unresolved (${share(calls.unresolved, all)} of ${all})`,
    ...(unreadable.length === 0 ? [] : [`    read in part, so that nothing is concluded from what is missing: ${counted(unreadable.length, 'function')}`, ...named, ...(left > 0 ? [`      and ${left} more`] : [])]),
    ...(cap === null ? [] : [`    ${cap}`]),
  ];
}

function pathText({ configuration, instructions, reached, unreached, cpus }: PathCoverage): readonly string[] {
  return [
    `  entry paths, ${configuration}: ${reached} of ${counted(instructions, 'instruction')} reached (${share(reached, instructions)}), on ${cpus.length === 1 ? '1 kind' : `${cpus.length} kinds`} of CPU`,
    ...unreached.map((one) => `    ${one.instructions} not reached: ${one.reason ?? 'the reason is not known'}`),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function share(part: number, all: number): string {
  return all === 0 ? '0 %' : `${((part / all) * 100).toFixed(part > 0 && part < all ? 1 : 0)} %`;
}

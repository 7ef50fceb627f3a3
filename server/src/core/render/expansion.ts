// An expansion as an assembler text: labels, aligned instructions, and behind each where it was written and the macro
// uses it came through. Knows only lines that were found, and how to name places.
import type { Place } from '../base/span.ts';
import type { ExpandedLine, Expansion } from '../editor-types.ts';
import type { Locate } from './places.ts';

export interface ExpansionRow {
  readonly text: string;
  /** Where the row's text was written, named first behind it; null for a row of its own. */
  readonly at: Place | null;
  /** The outermost macro use that is named, at the end of the row. */
  readonly use: Place | null;
}

/** Columns before the comment that names the origin. */
const COMMENT_AT = 38;
/** Macros named behind one instruction; those between are left out. */
const MOST_NAMES = 4;

interface Used {
  readonly name: string;
  readonly place: Place;
}

export function expansionRows(expansion: Expansion, locate: Locate): readonly ExpansionRow[] {
  const own = (text: string): ExpansionRow => ({ text, at: null, use: null });
  const shared = sharedUses(expansion.lines);
  const count = expansion.lines.filter((line) => line.kind === 'instruction').length;
  const whole = shared.map(({ name, place }) => `${name} ${pointText(place, locate)}`).join(' <- ');
  return [
    own(`# ${expansion.symbol}: ${count} ${count === 1 ? 'instruction' : 'instructions'} as the assembler reads them`),
    own(`# ${expansion.file}, configuration ${expansion.configuration}`),
    ...(whole === '' ? [] : [own(`# all of it through ${whole}`)]),
    own('# behind each line: where it is written <- the macros it comes through; Go to Definition jumps there'),
    own(''),
    ...expansion.lines.map((line) => rowOf(line, shared.length, locate)),
  ];
}

/** The macro uses, innermost first, that every instruction came through. */
function sharedUses(lines: readonly ExpandedLine[]): readonly Used[] {
  const chains = lines.filter((line) => line.kind === 'instruction').map(usesOf);
  const [first] = chains;
  if (first === undefined) return [];
  let length = first.length;
  for (const chain of chains) {
    let same = 0;
    while (same < length && same < chain.length && isSame(first.at(-1 - same), chain.at(-1 - same))) same += 1;
    length = same;
  }
  return length === 0 ? [] : first.slice(-length);
}

function isSame(a: Used | undefined, b: Used | undefined): boolean {
  return a !== undefined && b !== undefined && a.place.file === b.place.file && a.place.span.start === b.place.span.start;
}

function usesOf({ origin, through }: ExpandedLine): readonly Used[] {
  return (origin?.uses ?? []).map((place, index) => ({ name: through[index] ?? '', place }));
}

function rowOf(line: ExpandedLine, shared: number, locate: Locate): ExpansionRow {
  const shown = shownText(line);
  if (line.origin === null) return { text: shown, at: null, use: null };
  const all = usesOf(line);
  const uses = line.kind === 'label' ? [] : all.slice(0, Math.max(0, all.length - shared));
  const names = uses.map((use) => use.name);
  const named = names.length <= MOST_NAMES ? names : [...names.slice(0, MOST_NAMES - 2), '...', ...names.slice(-1)];
  const outermost = uses.at(-1)?.place ?? null;
  const comment = [pointText(line.origin, locate), ...named].join(' <- ');
  return { text: `${shown.padEnd(COMMENT_AT - 1)} # ${comment}${outermost === null ? '' : ` ${pointText(outermost, locate)}`}`, at: line.origin, use: outermost };
}

function pointText(place: Place, locate: Locate): string {
  const { file, line } = locate(place);
  return `${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
}

function shownText({ kind, text }: ExpandedLine): string {
  switch (kind) {
    case 'label':
      return `${text}:`;
    case 'instruction':
    case 'data':
      return `    ${aligned(text)}`;
    case 'arm':
      return `  # ${text}:`;
    case 'replacement':
      return text.endsWith(':') ? `  # ${text}` : `  #   ${aligned(text)}`;
  }
}

/** `movq    %rsp, %rdi`. */
export function aligned(text: string): string {
  const space = text.indexOf(' ');
  return space === -1 ? text : `${text.slice(0, space).padEnd(7)} ${text.slice(space + 1)}`;
}

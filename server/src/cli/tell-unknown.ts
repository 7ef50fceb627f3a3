// Which of the things that are not known are told on the error stream, and in how many words: all of them are in JSON.
import { unknownText } from '../core/render/unknown.ts';
import type { Locate } from '../core/render/places.ts';
import type { Unknown } from '../core/review-types.ts';

/** Sentences of one run. */
const mostUnknown = 8;
const mostByName = 3;

type Kinds = Unknown['kind'];

function of<K extends Kinds>(unknown: readonly Unknown[], kind: K): readonly Extract<Unknown, { readonly kind: K }>[] {
  return unknown.filter((one): one is Extract<Unknown, { readonly kind: K }> => one.kind === kind);
}

/** Runs that came to a bound are all told; of the rest so much as is read. */
export function tellUnknown(unknown: readonly Unknown[], locate: Locate): readonly string[] {
  const calls = of(unknown, 'out-of-view');
  const jumps = of(unknown, 'jumps-away');
  const byName = of(unknown, 'by-name');
  // Where there is so much else, a statement is one of many things that are not known.
  const many = calls.length > mostUnknown;
  const statements = many ? of(unknown, 'unread').length : 0;
  const apart: ReadonlySet<Kinds> = new Set<Kinds>(['unfinished', 'out-of-view', 'jumps-away', 'by-name', ...(many ? (['unread'] as const) : [])]);
  const told = [...unknown.filter(({ kind }) => !apart.has(kind)), ...byName.slice(0, mostByName)].slice(0, mostUnknown);
  const out = [...of(unknown, 'unfinished'), ...told].map((one) => unknownText(one, locate));
  if (byName.length > mostByName) out.push(`${byName.length - mostByName} more are taken for what their names say (--format json lists them)`);
  if (many) out.push(`${calls.length} names and calls are not in view${statements === 0 ? '' : ` and ${statements} ${statements === 1 ? 'statement' : 'statements'} cannot be read`} (--format json lists them)`);
  else if (calls.length > 0) out.push(`not in view, and taken to change nothing here: ${calls.map(({ name }) => `${name}()`).join(', ')}`);
  if (!many && jumps.length > 0) out.push(`not in view, and not followed: ${jumps.slice(0, mostUnknown).map(({ name }) => name).join(', ')}${jumps.length > mostUnknown ? ` and ${jumps.length - mostUnknown} more` : ''}`);
  return out;
}

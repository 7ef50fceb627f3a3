// Macro expansions as documents: the text that the client shows, and for each line where a jump from it goes. The text
// itself is made by the renderer.
import { expansionRows } from '../core/render/expansion.ts';
import type { Locate } from '../core/render/places.ts';
import type { Review } from '../core/review-types.ts';
import type { Locator } from './locate.ts';
import type { ExpansionChoice, ExpansionView } from './protocol.ts';

export function expansionChoices(review: Review, file: string, offset: number | null): ExpansionChoice {
  return {
    here: offset === null ? null : review.expansionAt(file, offset),
    symbols: review.expansions(file).map(({ symbol, instructions, section }) => ({ symbol, detail: `${instructions} ${instructions === 1 ? 'instruction' : 'instructions'} in ${section}` })),
  };
}

/** null where the symbol is no longer in view. */
export function expansionView(review: Review, locator: Locator, locate: Locate, file: string, symbol: string): ExpansionView | null {
  const expansion = review.expansion(file, symbol);
  if (expansion === null) return null;
  const rows = expansionRows({ ...expansion, file: locate({ file: expansion.file, span: { start: 0, end: 0 } }).file }, locate);
  return {
    text: `${rows.map((row) => row.text).join('\n')}\n`,
    lines: rows.map(({ at, use }) => (at === null ? null : { at: locator.viewRange(at), use: use === null ? null : locator.viewRange(use) })),
  };
}

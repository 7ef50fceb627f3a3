// Offsets in files to ranges of the protocol, for open documents and for files on disk. Lines are indexed once per text.
import { indexLines } from '../core/base/line-index.ts';
import type { LineIndex } from '../core/base/line-index.ts';
import type { Place } from '../core/base/span.ts';
import type { Location } from 'vscode-languageserver/node';
import { rangeOf } from './documents.ts';
import type { ViewRange } from './protocol.ts';

export interface Locator {
  readonly lines: (file: string) => LineIndex;
  readonly uri: (file: string) => string;
  readonly location: (place: Place) => Location;
  readonly viewRange: (place: Place) => ViewRange;
}

export function createLocator(text: (file: string) => string | null, uri: (file: string) => string): Locator {
  const indexed = new Map<string, { readonly text: string; readonly lines: LineIndex }>();
  function lines(file: string): LineIndex {
    const current = text(file) ?? '';
    const known = indexed.get(file);
    if (known !== undefined && known.text === current) return known.lines;
    const fresh = { text: current, lines: indexLines(current) };
    indexed.set(file, fresh);
    return fresh.lines;
  }
  function location(place: Place): Location {
    return { uri: uri(place.file), range: rangeOf(lines(place.file), place.span) };
  }
  return {
    lines,
    uri,
    location,
    viewRange: (place) => {
      const { uri: at, range } = location(place);
      return { uri: at, startLine: range.start.line, startCharacter: range.start.character, endLine: range.end.line, endCharacter: range.end.character };
    },
  };
}

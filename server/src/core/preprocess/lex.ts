// C preprocessing tokens of one file: logical lines (continuations joined, comments blanked) and, on demand, their
// tokens. Knows no macro and no configuration, so what it makes of a file depends on the text alone and is kept.
import type { Use } from './text.ts';

export type TokenKind = 'identifier' | 'number' | 'string' | 'punctuator' | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Blanks or a comment stand before it. */
  readonly space: boolean;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly use: Use | null;
  /** Met while its own macro was being expanded: never expanded again. */
  readonly painted: boolean;
}

export interface LogicalLine {
  /** Source range, continuation lines included, newline excluded. */
  readonly start: number;
  readonly end: number;
  /** Source ranges that make up the line, as from, to, from, to; a comment between two ranges counts as one blank. */
  readonly ranges: readonly number[];
  readonly directive: boolean;
}

export interface LexedFile {
  readonly file: string;
  readonly text: string;
  readonly lines: readonly LogicalLine[];
  /** Tokens by line, filled when first asked for. */
  readonly tokens: (readonly Token[] | undefined)[];
}

const kept = new Map<string, LexedFile>();
const KEPT_FILES = 1500;

/** The lexed file, kept for as long as its text stays the same. */
export function lexFile(file: string, text: string): LexedFile {
  const known = kept.get(file);
  if (known !== undefined && known.text === text) return known;
  const lexed: LexedFile = { file, text, lines: splitLines(text), tokens: [] };
  kept.delete(file);
  kept.set(file, lexed);
  if (kept.size > KEPT_FILES) for (const oldest of kept.keys()) { kept.delete(oldest); break; }
  return lexed;
}

const interesting = /["'/\\\n]/g;

function splitLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let start = 0;
  let from = 0;
  let ranges: number[] = [];
  const close = (end: number): void => {
    const stop = text.charCodeAt(end - 1) === 13 && end > from ? end - 1 : end;
    ranges.push(from, stop);
    lines.push({ start, end: stop, ranges, directive: startsDirective(text, ranges) });
    ranges = [];
  };
  let at = 0;
  while (at < text.length) {
    interesting.lastIndex = at;
    const found = interesting.exec(text);
    if (found === null) break;
    const i = found.index;
    const c = text[i];
    if (c === '\n') {
      close(i);
      at = start = from = i + 1;
    } else if (c === '\\') {
      const next = text[i + 1] === '\r' ? i + 2 : i + 1;
      if (text[next] === '\n') {
        ranges.push(from, i);
        at = from = next + 1;
      } else at = i + 1;
    } else if (c === '/') {
      if (text[i + 1] === '*') {
        const closing = text.indexOf('*/', i + 2);
        ranges.push(from, i, -1, -1);
        at = from = closing === -1 ? text.length : closing + 2;
      } else if (text[i + 1] === '/') {
        let end = text.indexOf('\n', i);
        while (end !== -1 && (text[end - 1] === '\\' || (text[end - 1] === '\r' && text[end - 2] === '\\'))) end = text.indexOf('\n', end + 1);
        ranges.push(from, i);
        at = from = end === -1 ? text.length : end;
      } else at = i + 1;
    } else at = skipQuoted(text, i);
  }
  if (start < text.length) close(text.length);
  return lines;
}

/** An apostrophe in a comment of the assembler opens no literal; the bound keeps a line full of them linear. */
const LONGEST_CHARACTER_LITERAL = 64;

/** The offset behind a literal, or behind the quote where the line ends before the literal does. */
function skipQuoted(text: string, open: number): number {
  const quote = text[open];
  const limit = quote === '"' ? text.length : Math.min(text.length, open + LONGEST_CHARACTER_LITERAL);
  for (let i = open + 1; i < limit; i++) {
    const c = text[i];
    if (c === quote) return i + 1;
    if (c === '\n') return quote === '"' ? i : open + 1;
    if (c === '\\') {
      if (text[i + 1] === '\n' || text[i + 1] === '\r') return quote === '"' ? i : open + 1;
      i++;
    }
  }
  return quote === '"' ? text.length : open + 1;
}

function startsDirective(text: string, ranges: readonly number[]): boolean {
  for (let r = 0; r < ranges.length; r += 2) {
    const from = ranges[r]!;
    if (from < 0) continue;
    for (let i = from; i < ranges[r + 1]!; i++) {
      const c = text.charCodeAt(i);
      // `##` begins no directive: in assembler it is a comment.
      if (c === 35) return text.charCodeAt(i + 1) !== 35;
      if (c !== 32 && c !== 9 && c !== 12 && c !== 11 && c !== 13) return false;
    }
  }
  return false;
}

/** The line's text with continuations joined and comments as one blank, and the source offset of each stretch of it. */
function joined(text: string, line: LogicalLine): { readonly text: string; readonly starts: readonly number[] } {
  let out = '';
  const starts: number[] = [];
  for (let r = 0; r < line.ranges.length; r += 2) {
    const from = line.ranges[r]!;
    if (from < 0) out += ' ';
    else {
      starts.push(out.length, from);
      out += text.slice(from, line.ranges[r + 1]!);
    }
  }
  return { text: out, starts };
}

const tokenPattern =
  /([ \t\f\v\r]+)|([A-Za-z_]\w*)|(\.?[0-9](?:[eEpP][+-]|[\w.])*)|("(?:[^"\\]|\\[^])*")|('(?:[^'\\]|\\[^])*')|(##|\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-[\](){}.&*+~!/%<>^|?:;=,#])|(["'])|([^])/gy;

export function tokensOf(lexed: LexedFile, index: number): readonly Token[] {
  const known = lexed.tokens[index];
  if (known !== undefined) return known;
  const line = lexed.lines[index];
  if (line === undefined) return [];
  const { text, starts } = line.ranges.length === 2
    ? { text: lexed.text.slice(line.ranges[0], line.ranges[1]), starts: [0, line.ranges[0]!] }
    : joined(lexed.text, line);
  const tokens = lexText(text, lexed.file, starts);
  lexed.tokens[index] = tokens;
  return tokens;
}

/** Tokens of any text; `starts` are pairs of an offset in it and the source offset that it stands for. */
export function lexText(text: string, file: string, starts: readonly number[]): Token[] {
  const tokens: Token[] = [];
  let space = false;
  let stretch = 0;
  let open = '';
  let at = 0;
  while (at < text.length) {
    let kind: TokenKind = 'other';
    let length = 1;
    const c = text[at]!;
    if ((c !== '"' && c !== "'") || !open.includes(c)) {
      tokenPattern.lastIndex = at;
      const found = tokenPattern.exec(text);
      if (found === null) break;
      length = found[0].length;
      if (found[1] !== undefined) {
        space = true;
        at += length;
        continue;
      }
      if (found[2] !== undefined) kind = 'identifier';
      else if (found[3] !== undefined) kind = 'number';
      else if (found[4] !== undefined || found[5] !== undefined) kind = 'string';
      else if (found[6] !== undefined) kind = 'punctuator';
      else if (found[7] !== undefined) open += c;
    }
    while (stretch + 2 < starts.length && starts[stretch + 2]! <= at) stretch += 2;
    const start = starts[stretch + 1]! + (at - starts[stretch]!);
    let last = stretch;
    while (last + 2 < starts.length && starts[last + 2]! < at + length) last += 2;
    const end = starts[last + 1]! + (at + length - starts[last]!);
    tokens.push({ kind, text: text.slice(at, at + length), space, file, start, end, use: null, painted: false });
    space = false;
    at += length;
  }
  return tokens;
}

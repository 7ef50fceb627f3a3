// Whether an edit can change anything that is said of a program: one of comments that say nothing to the review cannot.
// Compares what the preprocessor is given, so it needs to know no comment itself.
import { difference } from '../base/difference.ts';
import { firstWhere } from '../base/first.ts';
import { lexFile } from '../preprocess/lex.ts';
import type { LogicalLine } from '../preprocess/lex.ts';

/** An edit is asked about by several; the texts are large. */
let last: { readonly file: string; readonly before: string; readonly after: string; readonly same: boolean } | null = null;

/** Both texts have the same lines of code in the same order; annotations count as code. */
export function sameCode(file: string, before: string, after: string): boolean {
  if (!/\.[sSch]$/.test(file)) return false;
  if (before === after) return true;
  if (last?.file !== file || last.before !== before || last.after !== after) last = { file, before, after, same: compared(file, before, after) };
  return last.same;
}

function compared(file: string, before: string, after: string): boolean {
  const { start, oldEnd, newEnd } = difference(before, after);
  const was = lexFile(file, before).lines;
  const now = lexFile(file, after).lines;
  const first = firstWhere(was, (line) => line.end + 1 >= start);
  const [wasRest, nowRest] = sameRest(was, now, Math.max(oldEnd, was[first]?.start ?? 0), newEnd - oldEnd);
  const wasText = textBetween(before, was, first, wasRest);
  const nowText = textBetween(after, now, first, nowRest);
  if (wasText.includes('xctx') || nowText.includes('xctx')) return false;
  // A line that moves to another number may be told apart by it.
  if (lineBreaks(wasText) !== lineBreaks(nowText) && before.includes('__LINE__')) return false;
  return codeOf(before, was, first, wasRest) === codeOf(after, now, first, nowRest);
}

/** Offsets of one text in another, for those outside of all that differs; null inside. */
export interface Alignment {
  readonly before: (offset: number) => number | null;
  readonly after: (offset: number) => number | null;
}

export function alignmentOf(before: string, after: string): Alignment {
  const { start, oldEnd, newEnd } = difference(before, after);
  return {
    before: (offset) => (offset < start ? offset : offset > newEnd ? offset - newEnd + oldEnd : null),
    after: (offset) => (offset < start ? offset : offset > oldEnd ? offset - oldEnd + newEnd : null),
  };
}

/** Where both texts are at the start of the same line behind the edit: what a line is depends on what follows it alone. */
function sameRest(was: readonly LogicalLine[], now: readonly LogicalLine[], from: number, by: number): readonly [number, number] {
  let at = firstWhere(was, (line) => line.start >= from);
  for (; at < was.length; at += 1) {
    const start = (was[at]?.start ?? 0) + by;
    const other = firstWhere(now, (line) => line.start >= start);
    if (now[other]?.start === start) return [at, other];
  }
  return [was.length, now.length];
}

function textBetween(text: string, lines: readonly LogicalLine[], from: number, to: number): string {
  const start = lines[from]?.start ?? text.length;
  return text.slice(start, lines[to]?.start ?? text.length);
}

function lineBreaks(text: string): number {
  return text.split('\n').length;
}

/** The lines without comments and without those that hold nothing else. */
function codeOf(text: string, lines: readonly LogicalLine[], from: number, to: number): string {
  const out: string[] = [];
  for (const { ranges } of lines.slice(from, to)) {
    let line = '';
    for (let at = 0; at < ranges.length; at += 2) {
      const start = ranges[at] ?? -1;
      // Between two pieces without a comment between them the line is continued.
      if (at > 0 && start >= 0 && (ranges[at - 2] ?? -1) >= 0) line += '\0';
      line += start < 0 ? ' ' : text.slice(start, ranges[at + 1]);
    }
    const code = line.trim();
    if (code !== '' && !isAssemblerComment(code)) out.push(code);
  }
  return out.join('\n');
}

/** `# words` of one line: neither a directive nor a line marker. */
function isAssemblerComment(code: string): boolean {
  return !code.includes('\0') && /^#\s*(?:$|[^\w\s#"]|(?!(?:include|include_next|import|define|undef|if|ifdef|ifndef|elif|elifdef|elifndef|else|endif|error|warning|pragma|line|ident|sccs|assert|unassert)\b)[A-Za-z_])/.test(code);
}

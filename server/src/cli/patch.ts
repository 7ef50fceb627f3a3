// Patches as `git format-patch` and `git diff` write them, one or a series of mails, applied to texts in memory. Touches
// no file. The parser is our own because jsdiff's (9.0.0) takes the `-- ` below the last hunk of such a mail for a line of
// it and refuses the text, as it does where lines end in CRLF, and tells neither the line of a hunk nor which does not fit.

export interface Hunk {
  /** One-based line of the patch that the hunk begins at. */
  readonly at: number;
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly { readonly kind: ' ' | '+' | '-'; readonly text: string }[];
}

export interface FilePatch {
  /** Path without `a/` and `b/`; null for a file that is not there. */
  readonly from: string | null;
  readonly to: string | null;
  /** `from` stays as it is. */
  readonly copied: boolean;
  readonly hunks: readonly Hunk[];
}

export interface Patch {
  /** Subject of its mail without `[PATCH n/m]`, or ''. */
  readonly subject: string;
  readonly files: readonly FilePatch[];
}

export function isPatch(text: string): boolean {
  return /^--- \S.*\r?\n\+\+\+ \S.*\r?\n@@ -\d/m.test(text) || /^diff --git a\//m.test(text);
}

/** The patches of a text in order, those that touch no file left out; a sentence where it is cut short. `at` numbers the lines. */
export function parsePatches(text: string, at: readonly number[] = []): readonly Patch[] | string {
  const numberOf = (index: number): number => at[index] ?? index + 1;
  const lines = text.replace(/\r\n/g, '\n').split('\n');
  const patches: { subject: string; files: { from: string | null; to: string | null; copied: boolean; hunks: Hunk[] }[] }[] = [];
  let patch: (typeof patches)[number] | null = null;
  const current = (): (typeof patches)[number] => {
    patch ??= begin('');
    return patch;
  };
  function begin(subject: string): (typeof patches)[number] {
    const made = { subject, files: [] };
    patches.push(made);
    return made;
  }
  let file: (typeof patches)[number]['files'][number] | null = null;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const next = lines[index + 1] ?? '';
    if (/^From [0-9a-f]{7,40} /.test(line)) {
      patch = null;
      file = null;
      continue;
    }
    const subject = /^Subject: (.*)$/.exec(line)?.[1];
    if (subject !== undefined) {
      const folded = /^\s+\S/.test(next) ? ` ${next.trim()}` : '';
      patch = begin(`${subject}${folded}`.replace(/^(?:\[[^\]]*\]\s*)+/, ''));
      file = null;
      continue;
    }
    if (line.startsWith('--- ') && next.startsWith('+++ ')) {
      const [from, to] = [pathOf(line), pathOf(next)];
      if (file === null || file.hunks.length > 0 || file.from !== from || file.to !== to) {
        file = { from, to, copied: false, hunks: [] };
        current().files.push(file);
      }
      index += 1;
      continue;
    }
    const [, way, old] = /^(rename|copy) from (.*)$/.exec(line) ?? [];
    const [, same, made] = /^(rename|copy) to (.*)$/.exec(next) ?? [];
    if (way !== undefined && way === same) {
      // Where nothing else changes no hunk follows.
      file = { from: unquoted(old ?? ''), to: unquoted(made ?? ''), copied: way === 'copy', hunks: [] };
      current().files.push(file);
      index += 1;
      continue;
    }
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (head === null || file === null) continue;
    const hunk = readHunk(lines, index, head, numberOf);
    if (typeof hunk === 'string') return hunk;
    file.hunks.push(hunk.hunk);
    index = hunk.end - 1;
  }
  return patches.filter(({ files }) => files.length > 0);
}

function pathOf(line: string): string | null {
  const path = unquoted(line.slice(4).replace(/\t.*$/, '').trim());
  return path === '/dev/null' ? null : path.replace(/^[abiw]\//, '');
}

const ESCAPED: ReadonlyMap<string, string> = new Map([['a', '\x07'], ['b', '\b'], ['t', '\t'], ['n', '\n'], ['v', '\v'], ['f', '\f'], ['r', '\r']]);

/** A name as git writes it where it has bytes that are not plain (core.quotePath): in quotes, bytes in octal. */
function unquoted(name: string): string {
  const inside = /^"(.*)"$/.exec(name)?.[1];
  if (inside === undefined) return name;
  const bytes = [...inside.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/g)].flatMap(([, octal, letter, plain]) => (octal === undefined ? [...new TextEncoder().encode(plain ?? ESCAPED.get(letter ?? '') ?? letter ?? '')] : [Number.parseInt(octal, 8)]));
  return new TextDecoder().decode(new Uint8Array(bytes));
}

function readHunk(lines: readonly string[], at: number, head: RegExpExecArray, numberOf: (index: number) => number): { readonly hunk: Hunk; readonly end: number } | string {
  let olds = Number(head[2] ?? 1);
  let news = Number(head[4] ?? 1);
  const out: { kind: ' ' | '+' | '-'; text: string }[] = [];
  let index = at + 1;
  for (; (olds > 0 || news > 0) && index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const kind = line === '' ? ' ' : line[0];
    if (kind === '\\') continue;
    if (kind !== ' ' && kind !== '+' && kind !== '-') return `line ${numberOf(index)}: the hunk of line ${numberOf(at)} is cut short: ${olds} old and ${news} new lines of it are missing; a mail client may have wrapped its lines`;
    if (kind !== '+') olds -= 1;
    if (kind !== '-') news -= 1;
    out.push({ kind, text: line.slice(1) });
  }
  if (olds > 0 || news > 0) return `line ${numberOf(lines.length - 1)}: the hunk of line ${numberOf(at)} is cut short: ${olds} old and ${news} new lines of it are missing`;
  return { hunk: { at: numberOf(at), oldStart: Number(head[1]), newStart: Number(head[3]), lines: out }, end: index };
}

/** The patch that takes this one back. */
export function reversed({ subject, files }: Patch): Patch {
  const other = { ' ': ' ', '+': '-', '-': '+' } as const;
  return {
    subject,
    files: [...files].reverse().map(({ from, to, copied, hunks }) => ({
      from: to,
      to: copied ? null : from,
      copied: false,
      hunks: hunks.map(({ at, oldStart, newStart, lines }) => ({ at, oldStart: newStart, newStart: oldStart, lines: lines.map(({ kind, text }) => ({ kind: other[kind], text })) })),
    })),
  };
}

/** Lines that a hunk may lie away from where it says. */
const FURTHEST = 2000;

export interface Misfit {
  readonly hunk: Hunk;
  /** First line that the text should have, and where it should lie. */
  readonly expected: string;
  readonly where: 'near' | 'first' | 'last';
}

/**
 * The text with the hunks in it, or why one does not fit. A hunk without lines behind what it changes is one at the end of
 * the text, as for git: where its lines are in the text already, it would fit behind the ones above them once more.
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): string | Misfit {
  return placeHunks(text, hunks, isHeld);
}

/** The same for hunks of a patch that is taken back: other patches may have added lines at the ends since. */
export function takeBackHunks(text: string, hunks: readonly Hunk[]): string | Misfit {
  return placeHunks(text, hunks, () => null);
}

function isHeld({ lines }: Hunk): 'first' | 'last' | null {
  const [first, last] = [lines[0]?.kind, lines.at(-1)?.kind];
  if (first === ' ' && last !== ' ') return 'last';
  return first !== ' ' && last === ' ' ? 'first' : null;
}

/** Without lines around them and of one sign: additions have nothing to be known by, and single lines are everywhere. */
export function isBare({ lines }: Hunk): boolean {
  return new Set(lines.map(({ kind }) => kind)).size === 1;
}

function placeHunks(text: string, hunks: readonly Hunk[], held: (hunk: Hunk) => 'first' | 'last' | null): string | Misfit {
  const lines = text.split('\n');
  let shift = 0;
  for (const hunk of hunks) {
    const olds = hunk.lines.filter(({ kind }) => kind !== '+').map(({ text: line }) => line);
    const wanted = Math.max(0, hunk.oldStart - 1) + shift;
    const where = held(hunk);
    const place = olds.length === 0 ? Math.min(lines.length, hunk.oldStart + shift) : placeOf(lines, olds, wanted, where, isBare(hunk) ? 0 : FURTHEST);
    if (place === null) return { hunk, expected: (where === 'last' ? olds.at(-1) : olds[0]) ?? '', where: where ?? 'near' };
    const news = hunk.lines.filter(({ kind }) => kind !== '-').map(({ text: line }) => line);
    lines.splice(place, olds.length, ...news);
    shift += news.length - olds.length + (place - wanted) * (olds.length === 0 ? 0 : 1);
  }
  return lines.join('\n');
}

function placeOf(lines: readonly string[], olds: readonly string[], wanted: number, where: 'first' | 'last' | null, furthest: number): number | null {
  const end = lines.length - (lines.at(-1) === '' ? 1 : 0);
  const allowed = (at: number): boolean => (where === 'first' ? at === 0 : where === 'last' ? at + olds.length >= end : at >= 0);
  const fits = (at: number): boolean => at >= 0 && allowed(at) && at + olds.length <= lines.length && olds.every((line, index) => (lines[at + index] ?? '').trimEnd() === line.trimEnd());
  for (let away = 0; away <= furthest; away += 1) {
    if (fits(wanted + away)) return wanted + away;
    if (fits(wanted - away)) return wanted - away;
  }
  return null;
}

/** What a patch shows of a file whose text is not at hand: its own lines, at their places, and blank ones between. */
export function onlyShown(hunks: readonly Hunk[]): string {
  const out: string[] = [];
  for (const { newStart, lines } of hunks) {
    while (out.length < newStart - 1) out.push('');
    out.push(...lines.filter(({ kind }) => kind !== '-').map(({ text }) => text));
  }
  return `${out.join('\n')}\n`;
}

// Lines of a diff that somebody quotes or writes down without its headers: what they make of the code stays where it is,
// the marks in their first column and the lines that are taken away are blanked. Knows no file and no language.

/** Not a vote (`+1`), but a numbered label. */
const ADDED = /^\+(?!\+|\d+\b(?!:))/;
const REMOVED = /^-(?!-)/;
const HEADING = /^(?:diff --git |index [0-9a-f]{6,}\.\.|(?:---|\+\+\+) [ab]?\/|@@ -\d|\\ No newline)/;
/** Context has a blank in front of the code's own column. */
const CONTEXT = /^ [\s\w}/*]/;

/** Lines without their quotation marks, with diffs as the code that they make. */
export function hunksAsCode(lines: readonly string[]): readonly string[] {
  const out = [...lines];
  let from = 0;
  while (from < lines.length) {
    let until = from;
    while (until < lines.length && lines[until]?.trim() !== '') until += 1;
    if (isHunk(out.slice(from, until))) for (let index = from; index < until; index += 1) out[index] = asCode(out[index] ?? '');
    from = until + 1;
  }
  return out;
}

/** Whether a paragraph is one of a diff: most of its lines are marked, and some as added or with a heading. */
function isHunk(lines: readonly string[]): boolean {
  const telling = lines.filter((line) => ADDED.test(line) || HEADING.test(line)).length;
  if (telling === 0) return false;
  const marked = lines.filter((line) => ADDED.test(line) || HEADING.test(line) || REMOVED.test(line) || CONTEXT.test(line)).length;
  return marked * 2 >= lines.length;
}

function asCode(line: string): string {
  if (HEADING.test(line) || REMOVED.test(line)) return '';
  return ADDED.test(line) ? ` ${line.slice(1)}` : line;
}

// Lines of limited width. Widths are counted in UTF-16 units: what the tool prints itself is ASCII.

/** Words of `text` in lines of at most `width`; only a word that is longer itself is broken. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((part) => pieces(part, width))) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

function pieces(word: string, width: number): readonly string[] {
  return Array.from({ length: Math.ceil(word.length / width) }, (_, at) => word.slice(at * width, (at + 1) * width));
}

/** `text` behind `first`, continued behind `rest`; trailing blanks are cut. */
export function hang(first: string, rest: string, text: string, width: number): readonly string[] {
  const lines = wrap(text, Math.max(16, width - Math.max(first.length, rest.length)));
  return (lines.length === 0 ? [''] : lines).map((line, at) => ((at === 0 ? first : rest) + line).trimEnd());
}

/** Columns of a plain table, two blanks apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ').trimEnd());
}

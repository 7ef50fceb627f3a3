// Executes the examples of docs/cli.md, README.md and docs/guide.md: blocks of ```console with `$ entrycheck ...`, the
// output below it, `...` for any lines, `(exit N)` for a status other than 0.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runCommand } from '../testing/command-line.ts';

interface Example {
  readonly line: number;
  readonly argv: readonly string[];
  readonly expected: readonly string[];
  readonly status: number;
}

function examplesOf(markdown: string): readonly Example[] {
  const examples: Example[] = [];
  let inside = false;
  let open: { readonly line: number; readonly argv: readonly string[]; readonly expected: string[]; status: number } | null = null;
  for (const [at, line] of markdown.split('\n').entries()) {
    if (line.startsWith('```')) {
      inside = line === '```console';
      open = null;
    } else if (inside && line.startsWith('$ entrycheck ')) {
      open = { line: at + 1, argv: line.split(' ').slice(2), expected: [], status: 0 };
      examples.push(open);
    } else if (inside && open !== null) {
      const exit = /^\(exit (\d+)\)$/.exec(line);
      if (exit === null) open.expected.push(line);
      else open.status = Number(exit[1]);
    }
  }
  return examples;
}

/** Whether `lines` are as expected, where `...` stands for any number of them. */
function matches(expected: readonly string[], lines: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return lines.length === 0;
  if (first !== '...') return lines[0] !== undefined && sameLine(first, lines[0]) && matches(rest, lines.slice(1));
  for (let skip = 0; skip <= lines.length; skip += 1) if (matches(rest, lines.slice(skip))) return true;
  return false;
}

/** `...` inside a line stands for anything. */
function sameLine(expected: string, line: string): boolean {
  const pieces = expected.split('...').map((piece) => piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`).test(line);
}

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

for (const document of ['docs/cli.md', 'docs/guide.md', 'README.md']) {
  describe(`the examples of ${document}`, () => {
    for (const { line, argv, expected, status } of examplesOf(readFileSync(document, 'utf8'))) {
      it(`line ${line}: entrycheck ${argv.join(' ')}`, async () => {
        const ran = await runCommand(argv);
        const lines = [...linesOf(ran.out), ...linesOf(ran.err)];
        assert.ok(matches(expected, lines), `${document}:${line}: expected\n${expected.join('\n')}\nbut it printed\n${lines.join('\n')}`);
        assert.equal(ran.status, status, `exit status of ${document}:${line}`);
      });
    }
  });
}

describe('docs/cli.md', () => {
  it('has examples', () => assert.ok(examplesOf(readFileSync('docs/cli.md', 'utf8')).length >= 5));
});

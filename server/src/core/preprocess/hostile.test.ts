// Text made to break a preprocessor ends in problems at their places, within bounds; text cut anywhere is read to its
// end; and reading again after an edit gives what a fresh reading gives.
import assert from 'node:assert/strict';
import { configurationOf } from './configurations.ts';
import { defaultLimits } from './limits.ts';
import { preprocess, preprocessC } from './preprocess.ts';
import type { AssemblerStream } from './stream.ts';

const none = configurationOf('none', new Map());

function streamOf(files: Readonly<Record<string, string>>, limits = defaultLimits): AssemblerStream {
  return preprocess('a.S', { read: (path) => files[path] ?? null }, none, limits);
}

/** Small bounds show the same stops sooner. */
const small = { ...defaultLimits, tokens: 100_000, statements: 50_000, items: 30_000 };

interface Row {
  readonly name: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Under the bounds that everybody has. */
  readonly full?: true;
  /** Of the first problem, and what stands at its place. */
  readonly message: RegExp | null;
  readonly at?: string;
}

const levels = (count: number, line: (level: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join('\n');

const rows: readonly Row[] = [
  { name: 'macro that uses itself', text: '.macro a\nnop\na\n.endm\nnop\na\n', message: /nest deeper/, at: 'a' },
  { name: 'macro that uses itself twice', text: '.macro a\na\na\n.endm\na\n', message: /nest deeper/, at: 'a' },
  { name: 'macros that multiply', full: true, text: `.macro m0\nnop\n.endm\n${levels(20, (i) => `.macro m${i + 1}\nm${i}\nm${i}\nm${i}\n.endm`)}\nm20\n`, message: /too many statements|lines/, at: 'm20' },
  { name: 'argument that doubles', text: '.macro a x\na \\x\\x\n.endm\na y\n', message: /too long|nest deeper/, at: 'a y' },
  { name: 'C macros that multiply', text: `#define M0 nop\n${levels(40, (i) => `#define M${i + 1} M${i} M${i}`)}\nM40\n`, message: /too many tokens/ },
  { name: 'C macros that paste', text: `#define P0 abcdefgh\n${levels(60, (i) => `#define Q${i}(x) x##x\n#define R${i}(x) Q${i}(x)\n#define P${i + 1} R${i}(P${i})`)}\nP60\n`, message: null },
  { name: 'calls nested deeply', text: `#define f(x) x\n${'f('.repeat(5000)}1${')'.repeat(5000)}\n`, message: /nest deeper|too many tokens/ },
  { name: 'calls that never end', text: `#define f(x) x\n${'f('.repeat(200_000)}\n`, message: /no closing parenthesis/ },
  { name: 'include cycle', text: '#include "h.h"\nnop\n', headers: { 'h.h': '#include "h.h"\n#include "h.h"\n' }, message: /includes nest deeper/ },
  { name: 'file that includes itself', text: '#include "a.S"\nnop\n', message: /includes nest deeper/ },
  { name: 'endless repetition', full: true, text: 'nop\n.rept 1000000000\nnop\n.endr\n', message: /lines|too many statements/, at: '.rept 1000000000' },
  { name: 'endless repetition of nothing', text: '.rept 1000000000\n.endr\nnop\n', message: null },
  { name: 'repetitions in each other', text: `${'.rept 1000\n'.repeat(30)}nop\n${'.endr\n'.repeat(30)}`, message: /too many statements|lines/ },
  { name: 'line of ten megabytes', text: `nop\n${'x'.repeat(10_000_000)}\nnop\n`, message: /line of 10000000 characters/ },
  { name: 'a megabyte of statements', text: `${'nop;\n'.repeat(200_000)}`, message: /too many statements|lines/ },
  { name: 'line of parentheses', text: `movq ${'('.repeat(500_000)}, %rax\n`, message: /cannot read operand/ },
  { name: 'line of quotes', text: `${'"\\'.repeat(400_000)}\n`, message: /cannot read/ },
  { name: 'line of apostrophes', text: `.long ${"\\'".repeat(400_000)}\n`, message: /cannot read/ },
  { name: 'line of labels', text: `${'1:'.repeat(300_000)}\n`, message: null },
  { name: 'line of operators', text: `.long 1${' + x'.repeat(200_000)}\n`, message: /cannot read value/ },
  { name: 'line of commas', text: `.irp x${',a'.repeat(400_000)}\nnop\n.endr\n`, message: null },
  { name: 'conditions nested deeply', text: `#if ${'('.repeat(100_000)}1\nnop\n#endif\n`, message: /no constant expression/ },
  { name: 'conditionals without an end', text: '.if 1\n'.repeat(50_000), message: /no \.endif/ },
  { name: 'comment without an end', text: `nop\n/* ${'x'.repeat(1_000_000)}`, message: null },
  { name: 'macro without an end', text: `.macro m\n${'nop\n'.repeat(1000)}`, message: /no \.endm follows/ },
  { name: 'binary', text: Array.from({ length: 200_000 }, (_, i) => String.fromCharCode((i * 7919) % 256)).join(''), message: null },
];

describe('hostile text', () => {
  for (const row of rows) {
    it(row.name, () => {
      const stream = streamOf({ 'a.S': row.text, ...row.headers }, row.full ? defaultLimits : small);
      assert.ok(stream.items.length <= defaultLimits.items + 1000 && stream.problems.length <= defaultLimits.problems);
      const first = stream.problems[0];
      if (row.message !== null) {
        assert.match(first?.message ?? '', row.message);
        assert.ok(first !== undefined && first.place.span.start <= first.place.span.end && first.place.span.end <= row.text.length + 200);
        if (row.at !== undefined) assert.equal(row.text.slice(first.place.span.start, first.place.span.end), row.at);
      }
    });
  }
});

const sample = `#include "h.h"
#define SIZE (4 * 8)
.macro PUSH r:req save=0
.if \\save
pushq \\r
.else
movq \\r, SIZE(%rsp)
.endif
.Lx\\@: .ifnb \\r
FUNC("nop; hlt", \\r)
.endif
.endm
.pushsection .entry.text, "ax"
entry: PUSH %rax save=1; PUSH r=%rbx
1: jmp 1b
.rept 3
v = 1 + 2
.byte 0x6a, v
.endr
.irp each, a, b
call \\each
.endr
.popsection
#if defined(A) && SIZE > 3
/* left out */ cli
#else
sti # comment
#endif
.altmacro
.noaltmacro
`;
const header = '#ifndef H\n#define H\n#define FUNC(a, b...) EXPAND(a) ; .ascii #a ; popq b\n#define EXPAND(a) .ascii a\n#endif\n';

/** A small generator, so that a failure names the seed that repeats it. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
}

function comparable(stream: AssemblerStream): string {
  return JSON.stringify({ ...stream, symbols: [...stream.symbols] }, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

describe('broken text', () => {
  it('the sample itself has no problem', () => {
    assert.deepEqual(streamOf({ 'a.S': sample, 'h.h': header }).problems, []);
  });

  it('cut at every offset', () => {
    for (let end = 0; end <= sample.length; end++) {
      const text = sample.slice(0, end);
      for (const { place } of streamOf({ 'a.S': text, 'h.h': header }).problems) {
        assert.ok(place.span.start >= 0 && place.span.end <= (place.file === 'a.S' ? text.length : header.length), `cut at ${end}`);
      }
    }
  });

  it('random edits: reading again equals a fresh reading', () => {
    const pieces = ['"', '\\', '(', ')', '\n', ';', '#', '##', '.endm', '.macro', '.rept 3\n', '.endr\n', '#if ', '#endif\n', '\\@', '%', '$', '/*', '*/', ',', ':', '1b', 'FUNC(', '=', '.if 1\n', '.else\n', '.endif\n', "'"];
    const next = random(20_240_229);
    let text = sample;
    for (let i = 0; i < 400; i++) {
      const from = next(text.length + 1);
      const to = Math.min(text.length, from + next(12));
      text = text.slice(0, from) + pieces[next(pieces.length)]! + text.slice(next(3) === 0 ? to : from);
      if (text.length > 3000 || i % 25 === 0) text = sample;
      const again = streamOf({ 'a.S': text, 'h.h': header });
      // Another name is another file to everything that is kept between runs.
      const name = `fresh${i}.S`;
      const fresh = preprocess(name, { read: (path) => (path === name ? text : path === 'h.h' ? header : null) }, none);
      assert.equal(comparable(fresh).replaceAll(name, 'a.S'), comparable(again), `edit ${i} of ${JSON.stringify(text)}`);
    }
  });

  it('an edit of a header counts in the file that includes it', () => {
    const files: Record<string, string> = { 'a.S': '#include "h.h"\npush $N', 'h.h': '#define N 1' };
    assert.equal(JSON.stringify(streamOf(files).items.map((item) => item.kind === 'instruction' && item.text)), '["push $1"]');
    files['h.h'] = '#define N 2';
    assert.equal(JSON.stringify(streamOf(files).items.map((item) => item.kind === 'instruction' && item.text)), '["push $2"]');
  });

  it('a C file is read for its directives alone', () => {
    const stream = preprocessC('x.c', { read: (path) => (path === 'x.c' ? `#define A 1\nint f(void) { return '"'; }\n#if A\n#else\nint g;\n#endif\n${'#if 1\n'.repeat(100)}` : null) }, none);
    assert.equal(stream.items.length, 0);
    assert.equal(stream.inactive.length, 1);
  });
});

describe('the work of reading', () => {
  /** Problems with a bound of statements and of tokens: none where no more than those were needed. */
  const within = (files: Readonly<Record<string, string>>, statements: number, tokens = statements): readonly string[] => streamOf(files, { ...defaultLimits, statements, tokens }).problems.map(({ message }) => message);

  it('grows with the depth of macros, not with its square', () => {
    for (const depth of [10, 150]) {
      const text = `.macro m0 x\nnop\n.endm\n${levels(depth, (i) => `.macro m${i + 1} x\nm${i} \\x\n.endm`)}\nm${depth} 1\n`;
      assert.deepEqual(within({ 'a.S': text }, 4 * depth + 8), []);
      assert.match(within({ 'a.S': text }, depth).join(), /too many statements/);
    }
  });

  it('grows with the depth of includes: each file is asked for a bounded number of times', () => {
    const reads = (depth: number): number => {
      const files: Record<string, string> = { 'a.S': '#include "h0.h"\n' };
      for (let at = 0; at < depth; at += 1) files[`h${at}.h`] = `#define V${at} ${at}\n${at + 1 < depth ? `#include "h${at + 1}.h"\n` : 'nop\n'}`;
      let asked = 0;
      const { items } = preprocess('a.S', { read: (path) => (path.endsWith('.h') && (asked += 1), files[path] ?? null) }, none);
      assert.equal(items.length, 1);
      return asked;
    };
    assert.ok(reads(80) <= 8 * reads(10) + 80, `${reads(80)} for 80, ${reads(10)} for 10`);
  });

  it('grows with the length of a file', () => {
    const text = (lines: number): string => levels(lines, (i) => `#define A${i} ${i}\n\tmovq\t$A${i}, %rax`);
    for (const lines of [100, 2000]) assert.deepEqual(within({ 'a.S': text(lines) }, 3 * lines, 12 * lines), []);
  });
});

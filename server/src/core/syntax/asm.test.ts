import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Span } from '../base/span.ts';
import type { AsmSource } from './asm.ts';
import type { AsmItem } from './asm-item.ts';
import { asmItems } from './asm.ts';
import { asmBlocks, asmSymbols } from './asm-outline.ts';
import { expressionOf, testParsers } from './test-parsers.test.ts';

async function read(text: string): Promise<AsmSource> {
  const parsers = await testParsers();
  const tree = parsers.parse('gas', text);
  const source = asmItems(tree);
  parsers.release(tree);
  return source;
}

async function onlyItem(text: string): Promise<AsmItem> {
  const { items } = await read(text);
  assert.equal(items.length, 1, text);
  return items[0] as AsmItem;
}

function words(text: string, spans: readonly Span[]): string[] {
  return spans.map(({ start, end }) => text.slice(start, end));
}

describe('assembler items', () => {
  it('give a statement its name and operands', async () => {
    for (const [text, name, operands] of [
      ['\tmovq\t%rsp, -8+4(%rsp,%rax,8) # x', 'movq', ['%rsp', '-8+4(%rsp,%rax,8)']],
      ['SYM_CODE_START(entry)', 'SYM_CODE_START', ['entry']],
      ['__ASM_SIZE(push) PER_CPU_VAR(a + b)', '__ASM_SIZE', ['push', 'PER_CPU_VAR(a + b)']],
      ['USE a,,b rdx=%rdx', 'USE', ['a', '', 'b', 'rdx=%rdx']],
      ['ALT "a; b", "", X', 'ALT', ['"a; b"', '""', 'X']],
      ['jmp *%rax', 'jmp', ['*%rax']],
      ['mov\\suffix \\from, \\to\\()d', 'mov\\suffix', ['\\from', '\\to\\()d']],
    ] as const) {
      const item = await onlyItem(text);
      assert.ok(item.kind === 'statement');
      assert.equal(item.name, name);
      assert.deepEqual(words(text, item.operands), operands);
      assert.equal(text.slice(item.nameSpan.start, item.nameSpan.end), name);
    }
  });

  it('tell prefixes from the mnemonic', async () => {
    const text = '\tlock cmpxchg16b (%rsi)';
    const item = await onlyItem(text);
    assert.ok(item.kind === 'statement');
    assert.deepEqual([words(text, item.prefixes), item.name, words(text, item.operands)], [['lock'], 'cmpxchg16b', ['(%rsi)']]);
    const string = await onlyItem('rep stosb');
    assert.ok(string.kind === 'statement' && string.name === 'stosb' && string.operands.length === 0);
  });

  it('tell the scopes of labels', async () => {
    const { items } = await read('1: .Lx: name: again_\\@: nop');
    assert.deepEqual(items.flatMap((item) => (item.kind === 'label' ? [[item.name, item.scope]] : [])), [
      ['1', 'numeric'], ['.Lx', 'local'], ['name', 'global'], ['again_\\@', 'global'],
    ]);
  });

  it('span a macro to its .endm, nested ones too', async () => {
    const text = '.macro OUTER a:req b=1\n.macro INNER\nnop\n.endm\n\\a\n.endm\nnop\n';
    const { items, problems } = await read(text);
    const macros = items.flatMap((item) => (item.kind === 'macroDefinition' ? [item] : []));
    assert.deepEqual(macros.map(({ name, span }) => [name, text.slice(0, span.end).split('\n').length]), [['OUTER', 6], ['INNER', 4]]);
    assert.deepEqual(macros[0]?.parameters.map(({ name }) => name), ['a', 'b']);
    assert.deepEqual(problems, []);
  });

  it('read .set as an assignment', async () => {
    for (const text of ['count = 2 + 1', '.set count, 2 + 1']) {
      const item = await onlyItem(text);
      assert.ok(item.kind === 'assignment' && item.name === 'count');
      assert.equal(text.slice(item.value.start, item.value.end), '2 + 1');
    }
  });

  it('give preprocessor lines their name and argument', async () => {
    for (const [text, directive, name, argument] of [
      ['#include <asm/entry.h>', 'include', 'asm/entry.h', '<asm/entry.h>'],
      ['# define PAIR(a) \\\n push a', 'define', 'PAIR', 'PAIR(a) \\\n push a'],
      ['#ifdef CONFIG_A', 'ifdef', 'CONFIG_A', 'CONFIG_A'],
      ['#if defined(A) && B', 'if', null, 'defined(A) && B'],
      ['#endif', 'endif', null, ''],
    ] as const) {
      const item = await onlyItem(text);
      assert.ok(item.kind === 'preprocessor');
      assert.deepEqual([item.directive, item.name, text.slice(item.argument.start, item.argument.end)], [directive, name, argument]);
      if (item.nameSpan !== null) assert.equal(text.slice(item.nameSpan.start, item.nameSpan.end), name);
    }
  });

  it('find every comment, inside operands too', async () => {
    const { comments } = await read('/* a */ nop # b\n MACRO(x, /* c */ y) // d\n#endif /* e */\n');
    assert.deepEqual(comments.map(({ text }) => text), ['/* a */', '# b', '/* c */', '// d', '/* e */']);
  });
});

describe('problems in assembler text', () => {
  for (const [text, message, at] of [
    ['movq 8(%rsp, %rax\nnop\n', '`)` is missing here', 'x'],
    ['.ascii "text\nnop\n', 'this string has no closing quote on its line', '"text'],
    ['SYM_DATA(x, .long a -\n\tb)\n', 'more must follow here', '-'],
    ['movq $1 +, %rax\n', 'cannot read this as an operand list', '+'],
    ['.macro FOO\nnop\n', '.macro FOO has no .endm', 'FOO'],
    ['nop\n/* never closed\nnop\n', 'this comment is not closed by */', '/*'],
  ] as const) {
    it(`${JSON.stringify(text)}: ${message}`, async () => {
      const { problems } = await read(text);
      assert.deepEqual(problems.slice(0, 1).map((problem) => [problem.message, text.slice(problem.span.start, problem.span.end)]), [[message, at]]);
    });
  }

  it('are at most fifty', async () => {
    const { problems } = await read('movq ]]\nnop\n'.repeat(200));
    assert.equal(problems.length, 50);
  });

  it('are found in text nested without end', async () => {
    for (const text of [`.if ${'-'.repeat(100_000)}`, `movq ${'('.repeat(100_000)}`, `x = ${'a('.repeat(50_000)}`, '"'.repeat(10_000)]) {
      const { problems } = await read(text);
      assert.ok(problems.length > 0 && problems.length <= 50);
    }
  });

  it('leave the statements around them readable', async () => {
    const { items } = await read('first\nmovq $1 +, %rax\nlast\n');
    assert.deepEqual(items.flatMap((item) => (item.kind === 'statement' ? [item.name] : [])), ['first', 'movq', 'last']);
  });
});

describe('outline and folding', () => {
  const text = ['SYM_CODE_START(entry)', '\t.if 1', '\tnop', '\t.else', '\tnop', '\t.endif', '1:\tjmp 1b', 'inner:', 'SYM_CODE_END(entry)', '#ifdef A', '.macro M', '.endm', '#endif', '/*', '*/', ''].join('\n');
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;

  it('fold code, conditional arms, macros and comments', async () => {
    const blocks = asmBlocks(await read(text));
    assert.deepEqual(blocks.map(({ kind, span }) => [kind, lineOf(span.start), lineOf(span.end)]), [
      ['code', 1, 9], ['conditional', 2, 3], ['conditional', 4, 6], ['preprocessor', 10, 13], ['macro', 11, 12], ['comment', 14, 15],
    ]);
  });

  it('name symbols, labels and macros, not numeric labels', async () => {
    const symbols = asmSymbols(await read(text), text);
    assert.deepEqual(symbols.map(({ kind, name, span }) => [kind, name, lineOf(span.end)]), [['code', 'entry', 9], ['label', 'inner', 8], ['macro', 'M', 12]]);
  });

  it('ignore ends without a start', async () => {
    assert.deepEqual(asmBlocks(await read('.endif\n.else\n#endif\n.endr\n.endm\nSYM_CODE_END(x)\n')), []);
  });
});

describe('incremental parsing', () => {
  const piece = fc.constantFrom('\n', '\t', ' ', '(', ')', '"', ',', ';', ':', '#', '/*', '*/', '//', '\\', '\\\n', '%rax', '$', 'movq ', '.macro M a=1\n', '.endm\n', '#if A\n', '#endif\n', 'x = 1\n', '1:', 'SYM(a,\n b)\n', '+', '*', '{', '@', "'", '\u{1f600}', '\0');
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  const edits = fc.array(fc.record({ at: fc.nat(), drop: fc.nat(6), put: fc.oneof(piece, fc.constant('')) }), { minLength: 1, maxLength: 8 });
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

  it(`gives what a fresh parse gives, over random edits (SEED=${seed})`, async () => {
    const parsers = await testParsers();
    fc.assert(
      fc.property(text, edits, (start, changes) => {
        let current = start;
        let tree = parsers.parse('gas', current);
        let source = asmItems(tree);
        for (const { at, drop, put } of changes) {
          const from = current.length === 0 ? 0 : at % (current.length + 1);
          current = current.slice(0, from) + put + current.slice(from + drop);
          tree = parsers.reparse(tree, current);
          const fresh = parsers.parse('gas', current);
          assert.equal(expressionOf(tree.root), expressionOf(fresh.root));
          source = asmItems(tree, source);
          assert.deepEqual(source, asmItems(fresh));
          assert.deepEqual(asmItems(tree), source);
          parsers.release(fresh);
        }
        parsers.release(tree);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('reads only what an edit changed, and every item as a fresh reading does', async () => {
    const parsers = await testParsers();
    const lines = ['entry:', '\tpushq\t%rax # saved', '.macro M a b=1', '\tmovq\t\\a, %rbx', '.endm', '#ifdef A', '\tM %rcx', '#endif', 'x = 1', '/* a', ' * comment */', '1:\tjmp 1b; nop', '\tSYM(a,', '\t b)'];
    const whole = `${Array.from({ length: 3 }, () => lines.join('\n')).join('\n')}\n`;
    let tree = parsers.parse('gas', whole);
    let source = asmItems(tree);
    const look = (current: string): void => {
      tree = parsers.reparse(tree, current);
      source = asmItems(tree, source);
      const fresh = parsers.parse('gas', current);
      assert.deepEqual(source, asmItems(fresh), current);
      parsers.release(fresh);
    };
    for (let at = 0; at < whole.length; at += 2) {
      for (const put of ['x', '\n', ' ']) {
        look(whole.slice(0, at) + put + whole.slice(at));
        look(whole);
      }
    }
    parsers.release(tree);
  });

  it('visits as many nodes after an edit in a long text as in a short one', async () => {
    const parsers = await testParsers();
    const visited = (lines: number): number => {
      const text = Array.from({ length: lines / 5 }, (_, at) => `handler_${at}:\n\tpushq\t%rdi\n\tmovq\t${at % 8}(%rsp), %rdi # a\n\tcall\twork\n\tret\n`).join('');
      let tree = parsers.parse('gas', text);
      let source = asmItems(tree);
      let nodes = 0;
      for (const put of ['\tnop\n', '', ' ']) {
        const middle = text.indexOf('\n', text.length / 2) + 1;
        tree = parsers.reparse(tree, text.slice(0, middle) + put + text.slice(middle));
        const { topLevel } = tree;
        const counted = { ...tree, topLevel: (start: number, end: number) => topLevel(start, end).map((node) => ((nodes += 1), node)), eachChild: () => assert.fail('all of the text is read again') };
        source = asmItems(counted, source);
      }
      assert.ok(source.items.length >= lines);
      parsers.release(tree);
      return nodes;
    };
    const few = visited(500);
    assert.ok(few > 0 && few < 30, `${few} nodes`);
    assert.equal(visited(10_000), few);
  });

  it('refuses a tree that was replaced', async () => {
    const parsers = await testParsers();
    const first = parsers.parse('gas', 'nop\n');
    const second = parsers.reparse(first, 'ret\n');
    assert.throws(() => parsers.reparse(first, 'nop\n'), /after it was released or replaced/);
    parsers.release(second);
    assert.throws(() => parsers.release(second), /after it was released or replaced/);
  });

  it('parses C beside assembler', async () => {
    const parsers = await testParsers();
    const tree = parsers.parse('c', 'int f(void) { return 1; }\n');
    assert.equal(tree.root.children()[0]?.type, 'function_definition');
    parsers.release(tree);
  });
});

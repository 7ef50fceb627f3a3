import assert from 'node:assert/strict';
import { cParser, freshly } from '../program/c-reading.test.ts';
import { cReferences } from './c-references.ts';

describe('C syntax', () => {
  it('gives functions the span from their first attribute to their brace', async () => {
    const text = 'int x;\nnoinstr void f(void)\n{\n}\n';
    const item = (await cParser())(text).items.find((one) => one.kind === 'function');
    assert.equal(text.slice(item?.span.start, item?.span.end), 'noinstr void f(void)\n{\n}');
  });

  it('finds the uses and definitions of names', async () => {
    const text = 'static int a;\nint g(int p) { return a + p; }\nvoid f(void) { a = g(a); }\n';
    const { uses, definitions } = cReferences((await cParser())(text));
    const lines = (spans: readonly { readonly start: number; readonly end: number }[] | undefined): readonly string[] => (spans ?? []).map(({ start, end }) => `${text.slice(0, start).split('\n').length}:${text.slice(start, end)}`);
    assert.deepEqual(lines(uses.get('a')), ['2:a', '3:a', '3:a']);
    assert.deepEqual(lines(uses.get('g')), ['3:g']);
    assert.deepEqual(lines(definitions.get('g')), ['2:g']);
  });

  it('remembers a text that was parsed before', async () => {
    const parse = await cParser();
    assert.equal(parse('int remembered;'), parse('int remembered;'));
  });

  it('parses an edit to what a fresh parse gives', async () => {
    const parse = await cParser();
    const lines = Array.from({ length: 60 }, (_, index) => `static int f${index}(int x)\n{\n\treturn x + ${index};\n}\n`);
    const text = lines.join('');
    parse(text);
    for (const [from, to] of [['x + 7;', 'x * 7 + g(x);'], ['x + 30;', 'x + ;'], ['f12(int x)', 'noinstr f12(void)'], ['}\nstatic int f50', 'static int f50']] as const) {
      const edited = text.replace(from, to);
      assert.deepEqual(parse(edited), await freshly(edited));
    }
  });

  it('reads the binary, the empty and the endless', async () => {
    const parse = await cParser();
    for (const text of ['', '\0\u0001\ufffd\uffff', '{'.repeat(500), '('.repeat(500), '#if\n#if\n', 'asm(', 'DEFINE_PER_CPU(', '"', "'", '/*']) assert.ok(Array.isArray(parse(text).items));
  });
});

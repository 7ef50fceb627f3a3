import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testParsers } from './test-parsers.test.ts';
import { createCParser, parseC, parseWholeC } from './c.ts';
import { activeText } from './c-directives.ts';
import { outerItems } from './c-items.ts';
import type { Parsers } from './parser.ts';

/** What the grammar was asked to parse, by characters. */
async function counting(): Promise<{ readonly parsers: Parsers; readonly parsed: string[] }> {
  const parsers = await testParsers();
  const parsed: string[] = [];
  return { parsers: { ...parsers, parse: (language, text, offset) => (parsed.push(text), parsers.parse(language, text, offset)) }, parsed };
}

const body = (statements: string): string => `static int f(struct s *p, int n)\n{\n\t${statements}\n}\n`;

const whole = [
  'int a, *b = &a, c[2][3] = { { 1, 2, 3 } };',
  'struct s { int a : 3, b; union { u64 x; struct { u32 lo, hi; }; } u; int (*call)(struct s *, int n); } __packed;',
  'enum e { A, B = 1 << 4, C, };\nenum { ONLY };',
  'typedef struct { unsigned long pte; } pte_t, *pte_p;\ntypedef int (*callback_t)(void *context, unsigned long flags);',
  'extern void noreturn_function(void) __noreturn;\nint (*table[4])(void);\nstatic const char *const names[] = { [0] = "a" "b", [2 ... 3] = NULL, };',
  'DEFINE_IDTENTRY(exc_divide_error)\n{\n\tdo_error_trap(regs, 0, "divide error", X86_TRAP_DE, SIGFPE, FPE_INTDIV, error_get_trap_addr(regs));\n}',
  'DECLARE_IDTENTRY(X86_TRAP_DE, exc_divide_error);\nDEFINE_PER_CPU(unsigned long, cpu_dr7);\nSYSCALL_DEFINE2(two, int, first, char *, second)\n{\n\treturn first;\n}',
  body('if (n) return n; else if (p->x) { p->x--; } else ++p->y; return -n * ~3 + (n ? 1 : 2) - !p;'),
  body('switch (n) { case 0: case 1: n = 2; break; default: return 1; } out: return 0;'),
  body('asm volatile("mov %1, %0" : "=r" (n), [out] "+m" (p->x) : "i" (8) : "memory", "cc"); return 0;'),
  body('struct s copy = *p, *other = &(struct s) { .x = 1, .u.y = { 2 } }; *other = copy; return ({ int k = n; k + 1; });'),
  body("char c = '{', *s = \"}\"; /* } */ // }\n\treturn c;"),
  '__printf(2, 3)\nstatic void report(int level, const char *format, ...)\n{\n}\nstatic __printf(1, 2)\nint other(const char *format, ...)\n{\n\treturn 1;\n}',
  '__visible noinstr void g(struct pt_regs *regs)\n{\n\tstruct local { int a; };\n\tstruct local v;\n}',
  ';\nasm(".text\\n");\nint last;',
];

describe('outer items of C', () => {
  it('leave no gap, and cut nothing that braces hold together', () => {
    for (const text of [...whole, whole.join('\n'), '', '}', '){', '"', '/*', 'a(b', '{'.repeat(99), 'f(x)\n'.repeat(99)]) {
      const spans = outerItems(text);
      assert.equal(spans.map(({ start, end }) => text.slice(start, end)).join(''), text);
    }
    const functions = outerItems(`${body('return 1;')}${body('return 2;')}`);
    assert.equal(functions.filter(({ start, end }) => end - start > 10).length, 2);
  });

  it('parsed alone are what they are in the whole text', async () => {
    const parsers = await testParsers();
    for (const text of [...whole, whole.join('\n')]) assert.deepEqual(parseC(parsers, text), parseWholeC(parsers, text), text);
    const folder = 'test-fixtures';
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[ch]$/.test(name));
    assert.ok(files.length > 10);
    for (const name of files) {
      const active = activeText(readFileSync(join(folder, name), 'utf8'), new Map(), { include: () => undefined, problem: () => undefined });
      const inOne = parseWholeC(parsers, active);
      if (inOne.unreadable.length === 0) assert.deepEqual(parseC(parsers, active), inOne, name);
    }
  });

  it('spoil no other where they are broken', async () => {
    const parsers = await testParsers();
    for (const broken of [body('n = ;'), body('return (n;'), 'SHOW(one)\nSHOW(two)\n', 'int broken( { return 1; }', 'float x = 1.5e;']) {
      const { items, unreadable } = parseC(parsers, `static int before;\n${broken}\nstatic int after(void) { return before; }\n`);
      const names = items.flatMap((item) => (item.kind === 'function' ? [item.function.name.text] : item.kind === 'declaration' ? item.declarations.map(({ name }) => name.text) : []));
      assert.deepEqual([names[0], names.at(-1)], ['before', 'after'], broken);
      assert.ok(unreadable.length > 0, broken);
    }
  });

  it('are parsed once, wherever they stand and in how many texts', async () => {
    const { parsers, parsed } = await counting();
    const parse = createCParser(parsers);
    const functions = Array.from({ length: 40 }, (_, at) => `static int f${at}(int x)\n{\n\treturn x + ${at};\n}\n`);
    const text = functions.join('');
    parse(text);
    assert.equal(parsed.splice(0).length, 40);
    for (const edited of [text.replace('x + 7;', 'x * 7 + g(x);'), text.replace('static int f0', '/* moves all */\nstatic int f0'), functions.slice(5).join('')]) {
      assert.deepEqual(parse(edited), parseWholeC(parsers, edited));
      const asked = parsed.splice(0).filter((one) => one.length < edited.length);
      assert.ok(asked.length <= 1, `${asked.length} items of 40 were parsed for one edit`);
    }
  });

  it('are found by looking once at every character, whatever the text', async () => {
    const { parsers, parsed } = await counting();
    for (const text of ['('.repeat(3000), 'int (((((((((a', '{'.repeat(3000), 'a(b)'.repeat(2000), 'f(x)\n'.repeat(2000), '/* ', '"'.repeat(999), '#define X\n'.repeat(50), 'struct {'.repeat(400), '\\\n\u00e9']) {
      parsed.length = 0;
      assert.ok(Array.isArray(parseC(parsers, text).items));
      assert.ok(parsed.reduce((sum, part) => sum + part.length, 0) <= text.length);
    }
  });
});

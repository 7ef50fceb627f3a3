import assert from 'node:assert/strict';
import { createDefinitionIndex } from './definition-index.ts';
import { definitionsOf } from './definitions.ts';

/** `kind name` of each definition; every span must hold the name. */
function defined(file: string, text: string): readonly string[] {
  return definitionsOf(file, text).map(({ name, kind, nameSpan }) => {
    assert.equal(text.slice(nameSpan.start, nameSpan.end), name);
    return `${kind} ${name}`;
  });
}

describe('definitions by text', () => {
  const c: readonly (readonly [string, readonly string[]])[] = [
    ['static noinstr int f(struct s *p, int (*g)(void))\n{\n\tint local = h(1);\n\treturn "}"[0] + \'{\';\n}\nint after;\n', ['function f', 'variable after']],
    ['int prototype(void);\nextern int elsewhere;\nextern int (*table[])(void);\nstruct forward;\n', []],
    ['struct s { int member; struct { int inner; } in; } one, *two;\nunion u { int a; };\nenum e { A, B = F(1, 2), /* C */ D };\nenum { ONLY } ;\n', ['type s', 'variable one', 'variable two', 'type u', 'type e', 'constant A', 'constant B', 'constant D', 'constant ONLY']],
    ['typedef unsigned long word_t;\ntypedef struct { int a; } pair_t;\ntypedef int (*callback_t)(void *);\ntypedef void (plain_t)(int);\n', ['type word_t', 'type pair_t', 'type callback_t', 'type plain_t']],
    ['static const char *const names[] __initconst = { "a", [B] = "b" };\nint x = 1, y, z[3];\nint (*hook)(void) = f;\nstruct s v = { .m = 1 };\n', ['variable names', 'variable x', 'variable y', 'variable z', 'variable hook', 'variable v']],
    ['DEFINE_IDTENTRY(exc_divide_error)\n{\n}\nSYSCALL_DEFINE2(two, int, a, int, b)\n{\n}\nDEFINE_PER_CPU(unsigned long, cpu_dr7);\nstatic DEFINE_SPINLOCK(lock);\nDECLARE_IDTENTRY(X86_TRAP_DE, exc_divide_error);\nLIST_HEAD(list);\n', ['function exc_divide_error', 'function two', 'variable cpu_dr7', 'variable lock', 'variable list']],
    ['#define ONE 1\n#  define TWO(a) \\\n\tint not_here(a) { }\n/* #define NOT\nint nor(void) { } */\n// int nor_this;\nint here;\n', ['macro ONE', 'macro TWO', 'variable here']],
    ['#ifdef A\nint f(int a) {\n#else\nint f(void) {\n#endif\n\treturn 1;\n}\nint after;\n', ['function f', 'function f', 'variable after']],
    ['int f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\t{\n#endif\n\t}\n}\nint after;\n', ['function f', 'variable after']],
  ];

  it('are found in C, whatever is inside of braces', () => {
    for (const [text, expected] of c) assert.deepEqual(defined('a.c', text), expected, text);
  });

  it('are found in assembler, comments left out', () => {
    const text = ['/* not:', ' .macro not */', 'SYM_CODE_START(entry)', '\tjmp 1f', '1:', 'SYM_INNER_LABEL(inner, SYM_L_GLOBAL)', '.Llocal:', 'after:\tnop', '.macro PUSH reg:req', '.endm', '#define SAVED 8', '.set OFFSET, 16', 'other = 1', 'SYM_CODE_END(entry)', 'SYM_DATA_START(words)', ''].join('\n');
    assert.deepEqual(defined('a.S', text), ['function entry', 'label inner', 'label after', 'macro PUSH', 'macro SAVED', 'constant OFFSET', 'constant other', 'variable words']);
  });

  it('are found in both halves of a header, each once', () => {
    const text = '#ifndef H\n#define H\n#define BOTH 1\n#ifdef __ASSEMBLY__\n.macro ENTER reg\n.endm\nlabel:\n#else\nstruct s { int a; };\nstatic inline int f(void) { return 1; }\n#endif\n#endif\n';
    assert.deepEqual(defined('a.h', text), ['macro H', 'macro BOTH', 'macro ENTER', 'label label', 'type s', 'function f']);
  });

  it('are read in time that grows with the text, whatever the text', () => {
    for (const piece of ['{', '(', '"', '#if 1\n', 'a(', 'struct {', '/*', 'x,', '#define a\\\n', "'", ': ', '.macro ']) {
      for (const file of ['a.c', 'a.S', 'a.h']) assert.ok(definitionsOf(file, piece.repeat(20_000)).length <= 20_000);
    }
  });
});

describe('an index of definitions', () => {
  it('scans a file again only when its text is another', () => {
    const index = createDefinitionIndex();
    for (let round = 0; round < 3; round += 1) for (const name of ['a', 'b', 'c']) index.update(`${name}.c`, `int ${name}(void) { }\n`);
    assert.deepEqual(index.counts(), { files: 3, scanned: 3, definitions: 3, kinds: { function: 3 } });
    index.update('b.c', 'int other;\n');
    index.remove('c.c');
    assert.deepEqual(index.counts(), { files: 2, scanned: 4, definitions: 2, kinds: { function: 1, variable: 1 } });
    assert.deepEqual(index.named('other'), [{ name: 'other', kind: 'variable', place: { file: 'b.c', span: { start: 4, end: 9 } } }]);
  });

  it('answers with the name itself first, then with what begins so, then with the characters in order', () => {
    const index = createDefinitionIndex();
    index.update('a.c', 'int xentry; int entry_64; int entry; int other;\n');
    assert.deepEqual(index.query('Entry', 9).map(({ name }) => name), ['entry', 'entry_64', 'xentry']);
    assert.deepEqual(index.query('e', 1).map(({ name }) => name), ['entry_64']);
    assert.equal(index.query('nothing', 9).length, 0);
  });
});

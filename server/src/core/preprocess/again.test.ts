// Reading again after an edit gives what a fresh reading gives, whatever the edit does to the text around it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createPreprocessor } from './again.ts';
import { configurationOf, parseConfig } from './configurations.ts';
import { preprocess } from './preprocess.ts';
import type { FileSource } from './stream.ts';

const configuration = configurationOf('test', parseConfig('CONFIG_A=y\nCONFIG_N=4\n'));

const header = `#define FRAME(x) x+8(%rsp)
#define PAIR(a, b) a; b
#ifndef GUARD
#define GUARD
.macro both one:req two=%rbx
push \\one
push \\two
.Lboth_\\@:
.endm
#endif
`;

const file = `#include "h.h"
#include "missing.h"
/* A comment
 * of two lines. */
#define LOCAL(n) mov $n, %eax // with a comment
.code64
.section .entry.text, "ax"
.globl start
start:
	push %rax
1:	both %rcx
	LOCAL(5)
	jmp 1b
#ifdef CONFIG_A
	PAIR(nop, cli)
#else
	hlt
#endif
.macro twice what, count=2
	.rept \\count
	\\what
	.endr
.endm
	twice "inc %rax"
.pushsection .fixup, "ax"
2:	jmp 1f
.popsection
	FRAME
	(16)
1:	both one=%rdx two=%rsi
value = 3
.if value > 2
	mov $value, %rdx
.else
	ud2
.endif
.irp reg, rax, rbx
	pop %\\reg
.endr
#undef LOCAL
	LOCAL(7)
	rep
	movsb
start:
	unknown_directive_like thing, (
.purgem twice
	ret
`;

const pieces = ['x', ' ', '\n', ';', ':', '#', '"', '(', ')', ',', '\\', '/*', '*/', '//', '1:', '1f', 'nop\n', '#if 0\n', '#endif\n', '#else\n', '#define LOCAL(n) hlt\n', '#include "h.h"\n', '.endm\n', '.macro zz\n', '.if 0\n', '.endif\n', 'both %r8\n', 'value = 1\n', '.section .other\n', 'push %rax\n', 'start:\n', 'rep\n'];

const edits = fc.array(fc.record({ at: fc.nat(2000), gone: fc.oneof(fc.nat(3), fc.nat(40)), comes: fc.oneof(fc.constantFrom(...pieces), fc.constant('')), back: fc.boolean() }), { minLength: 1, maxLength: 12 });

function sourceOf(text: string, included = header): FileSource {
  return { read: (path) => (path === 'd/a.S' ? text : path === 'd/h.h' ? included : null) };
}

describe('reading again', () => {
  it('is a fresh reading, after any edits', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const again = createPreprocessor('d/a.S', configuration);
        let text = file;
        again.read(sourceOf(text));
        for (const { at, gone, comes, back } of list) {
          const from = at % (text.length + 1);
          const edited = text.slice(0, from) + comes + text.slice(from + gone);
          assert.deepEqual(again.read(sourceOf(edited)), preprocess('d/a.S', sourceOf(edited), configuration));
          if (back) again.read(sourceOf(text));
          else text = edited;
        }
      }),
      { numRuns: 400 },
    );
  });

  it('sees every single character go and come back', () => {
    const again = createPreprocessor('d/a.S', configuration);
    for (let at = 0; at < file.length; at += 1) {
      const edited = file.slice(0, at) + file.slice(at + 1);
      assert.deepEqual(again.read(sourceOf(edited)), preprocess('d/a.S', sourceOf(edited), configuration), `without character ${at}`);
      again.read(sourceOf(file));
    }
  });

  it('a stream given once does not change with later ones', () => {
    const again = createPreprocessor('d/a.S', configuration);
    const first = again.read(sourceOf(file));
    const kept = structuredClone(first);
    again.read(sourceOf(file.replace('push %rax', 'push %rbx\n1: nop')));
    again.read(sourceOf(file.replace('value = 3', 'value = 4')));
    assert.deepEqual(first, kept);
  });

  it('an edit of a header is seen', () => {
    const again = createPreprocessor('d/a.S', configuration);
    again.read(sourceOf(file));
    const changed = header.replace('push \\one', 'pop \\one');
    assert.deepEqual(again.read(sourceOf(file, changed)), preprocess('d/a.S', sourceOf(file, changed), configuration));
  });
});

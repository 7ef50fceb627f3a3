// Changes of the context between statements, as a margin of the text.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createReview } from '../review.ts';
import type { Review } from '../review-types.ts';
import { loadGrammars } from '../../shell/grammars.ts';
import { kernelTable, kernelText } from '../../testing/kernel.ts';

const numbers = '#define X86_TRAP_DB 1\n#define X86_TRAP_NMI 2\n#define X86_TRAP_BP 3\n#define X86_TRAP_GP 13\n#define X86_TRAP_MC 18\n';
const root = '/tree/';
const entry = `${root}arch/x86/entry/entry_64.S`;

/** `line: text`, of the lines that have a change. */
function margin(review: Review, text: string, from = 0, to = text.length): readonly string[] {
  const changes = review.contextChanges(entry, { start: from, end: to }) ?? [];
  return changes.map((change) => `${text.slice(text.lastIndexOf('\n', change.offset - 1) + 1, change.offset).trim().replaceAll(/\s+/g, ' ')}: ${change.text}`);
}

async function kernel(text: string): Promise<Review> {
  const files = new Map([[`${root}Makefile`, readFileSync('test-fixtures/editor/kernel/Makefile', 'utf8')], [`${root}include/linux/kconfig.h`, '\n'], [entry, text], [`${root}arch/x86/kernel/idt.c`, `${numbers}${kernelTable}`]]);
  const list = (folder: string): string[] => [...files.keys()].flatMap((file) => (file.slice(0, file.lastIndexOf('/')) === folder ? [file.slice(folder.length + 1)] : []));
  const review = await createReview(loadGrammars('out'), { read: (file) => files.get(file) ?? null, list }, null);
  return review;
}

function explored(review: Review): void {
  const exploration = review.explore(`${root}arch/x86/entry`);
  while (!exploration.run(5000).done);
}

describe('changes of the context', () => {
  it('are told where one statement runs into the next, and nowhere else', async () => {
    const review = await kernel(kernelText);
    assert.equal(review.contextChanges(entry, { start: 0, end: kernelText.length }), null, 'nothing was read');
    explored(review);
    assert.deepEqual(review.contextChanges(entry, { start: 0, end: 1 }), []);
    assert.deepEqual(margin(review, kernelText), [
      '.Lkernel_\\@:: GS kernel',
      'swapgs: GS kernel',
      'movq %gs:cpu_current_top_of_stack(%rip), %rsp: stack task',
      'swapgs: GS user',
      'swapgs: GS kernel',
      'movq %rax, %rsp: stack task',
      'swapgs: GS user',
      'PARANOID: GS kernel',
      '.Lmc_out:: GS kernel or user',
      'PARANOID: GS kernel',
      '.Lnmi_out:: GS kernel or user',
    ]);
    const at = kernelText.indexOf('asm_exc_nmi:');
    assert.deepEqual(margin(review, kernelText, at), ['PARANOID: GS kernel', '.Lnmi_out:: GS kernel or user'], 'of a span');
    assert.equal(review.contextChanges(entry, { start: at, end: kernelText.length })?.[0]?.tip, 'GS: kernel or user -> kernel');
    review.release();
  });

  it('are those of the code as it is', async () => {
    const at = kernelText.indexOf('\tmovq\t%gs:cpu_current_top_of_stack');
    const text = `${kernelText.slice(0, at)}\tsti\n${kernelText.slice(at)}`;
    const review = await kernel(text);
    explored(review);
    assert.deepEqual(margin(review, text, 0, text.indexOf('call\tdo_syscall_64')), ['.Lkernel_\\@:: GS kernel', 'swapgs: GS kernel', 'sti: IF 1', 'movq %gs:cpu_current_top_of_stack(%rip), %rsp: stack task']);
    review.release();
  });

  it('of a replacement for some CPUs are not those of the others', async () => {
    const own = `\t.macro ALTERNATIVE old, new, feature
81:\t\\old
82:
\t.pushsection .altinstructions, "a"
\t.long 81b - ., 83f - .
\t.4byte \\feature
\t.byte 82b - 81b, 84f - 83f
\t.popsection
\t.pushsection .altinstr_replacement, "ax"
83:\t\\new
84:
\t.popsection
\t.endm
`;
    const text = own + kernelText.replace('\tmovq\t%rsp, %gs:(cpu_tss_rw + 20)(%rip)\n', '$&\tALTERNATIVE "jmp .Lskip", "nop", (9*32 + 0)\n\tsti\n.Lskip:\n');
    assert.notEqual(text, own + kernelText);
    const review = await kernel(text);
    explored(review);
    const said = margin(review, text, 0, text.indexOf('call\tdo_syscall_64'));
    assert.deepEqual(said, ['.Lkernel_\\@:: GS kernel', 'swapgs: GS kernel', '.Lskip:: IF 0 or 1', 'movq %gs:cpu_current_top_of_stack(%rip), %rsp: stack task'], 'CPUs that skip STI are no change before it');
    review.release();
  });
});

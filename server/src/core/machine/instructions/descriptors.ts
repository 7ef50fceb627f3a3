// Segment limits and descriptor tables: instructions that read or load what selectors mean.
import type { Execution, InstructionRow } from './row.ts';
import { proceed, read, write } from './row.ts';
import type { Draft } from '../draft.ts';
import { descriptorOf } from '../possible-fault.ts';
import { CPUNODE_SELECTOR, ZF } from '../state.ts';
import { equal, constant, replaceBits, truncate, UNKNOWN, ZERO } from '../word.ts';
import type { Word } from '../word.ts';

/** Segments of Linux's table are flat but for one, whose limit is the number of the CPU and node. */
const FLAT = constant(0xffff_ffffn);

/** GS-05: a selector that cannot be read clears ZF and leaves the destination; nothing faults. Null where it may be either. */
function readable(x: Execution, selector: Word): boolean | null {
  const found = descriptorOf(x.setup, selector);
  return found === 'anything' ? null : found !== 'null' && found !== 'nothing';
}

function loads(value: (selector: Word) => Word): InstructionRow['run'] {
  return (x) => {
    const [from, to] = x.node.operands;
    const selector = truncate(read(x, from, 2), 2);
    const can = readable(x, selector);
    if (can !== false) write(x, to, can === null ? UNKNOWN : value(selector));
    x.draft.flags = replaceBits(x.draft.flags, ZF, can === null ? 0n : ZF, can === true ? ZF : 0n);
    return proceed(x);
  };
}

const limitOf = (selector: Word): Word => (equal(selector, constant(CPUNODE_SELECTOR)) === true ? ZERO : FLAT);

function verify(x: Execution): readonly Draft[] {
  x.draft.flags = replaceBits(x.draft.flags, ZF, 0n, 0n);
  return proceed(x);
}

function notFollowed(x: Execution): readonly Draft[] {
  x.draft.effects.push({ kind: 'unknown', what: `${x.node.text}: the tables of the set-up stay in force` });
  return proceed(x);
}

function table(mnemonic: string, section: string, summary: string, operand: string): InstructionRow {
  return { mnemonic, suffixed: true, summary, section, faults: ['GP', 'PF'], run: notFollowed, examples: [{ code: `${mnemonic} ${operand}`, given: { rax: 5n }, then: { rax: 5n } }] };
}

export const DESCRIPTOR_ROWS: readonly InstructionRow[] = [
  {
    mnemonic: 'lsl',
    suffixed: true,
    summary: 'loads the limit of a segment: of the CPU-and-node segment, the number of the CPU, which is 0 here; ZF tells whether it could be read',
    section: 'LSL - Load Segment Limit',
    faults: ['PF'],
    run: loads(limitOf),
    examples: [{ code: 'lsl %rax, %rax', given: { rax: 0x7bn, ZF: 0n }, then: { rax: 0n, ZF: 1n } }, { code: 'lsl %rax, %rbx', given: { rax: 0x7bn, rbx: 9n }, then: { rbx: 0n, rax: 0x7bn } }, { code: 'lsl %eax, %ebx', given: { rax: 0n, rbx: 9n, ZF: 1n }, then: { rbx: 9n, ZF: 0n } }],
  },
  {
    mnemonic: 'lar',
    suffixed: true,
    summary: 'loads the access rights of a segment; ZF tells whether they could be read',
    section: 'LAR - Load Access Rights Byte',
    faults: ['PF'],
    run: loads(() => UNKNOWN),
    examples: [{ code: 'lar %eax, %ebx', given: { rax: 0n, rbx: 9n, ZF: 1n }, then: { rbx: 9n, ZF: 0n } }],
  },
  {
    mnemonic: 'verw',
    suffixed: false,
    summary: 'verifies a segment for writing; clears CPU buffers where microcode makes it',
    section: 'VERR/VERW - Verify a Segment for Reading or Writing',
    faults: ['PF'],
    run: verify,
    examples: [{ code: 'verw (%rsp)', given: { rax: 5n, DF: 1n }, then: { rax: 5n, DF: 1n } }],
  },
  table('lgdt', 'LGDT/LIDT - Load Global/Interrupt Descriptor Table Register', 'loads the global descriptor table register', '(%rax)'),
  table('lidt', 'LGDT/LIDT - Load Global/Interrupt Descriptor Table Register', 'loads the interrupt descriptor table register', '(%rax)'),
  table('lldt', 'LLDT - Load Local Descriptor Table Register', 'loads the local descriptor table register', '%ax'),
  table('ltr', 'LTR - Load Task Register', 'loads the task register, and with it the TSS that delivery reads stacks from', '%ax'),
];

// Segment limits and descriptor tables: instructions that read or load what selectors mean.
import type { Execution, InstructionRow } from './row.ts';
import { proceed, read, write } from './row.ts';
import type { Draft } from '../draft.ts';
import { descriptorOf } from '../possible-fault.ts';
import { CPUNODE_SELECTOR, ZF } from '../state.ts';
import { equal, constant, replaceBits, truncate, UNKNOWN, ZERO } from '../word.ts';

/** Segments of Linux's table are flat but for one, whose limit is the number of the CPU and node. */
const FLAT = constant(0xffff_ffffn);

/** GS-05: a selector that cannot be read clears ZF and leaves the destination; nothing faults. */
function loadLimit(x: Execution): readonly Draft[] {
  const [from, to] = x.node.operands;
  const selector = truncate(read(x, from, 2), 2);
  const found = descriptorOf(x.setup, selector);
  const readable = found === 'anything' ? null : found !== 'null' && found !== 'nothing';
  if (readable !== false) write(x, to, readable === null ? UNKNOWN : equal(selector, constant(CPUNODE_SELECTOR)) === true ? ZERO : FLAT);
  x.draft.flags = replaceBits(x.draft.flags, ZF, readable === null ? 0n : ZF, readable === true ? ZF : 0n);
  return proceed(x);
}

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
    run: loadLimit,
    examples: [{ code: 'lsl %rax, %rax', given: { rax: 0x7bn, ZF: 0n }, then: { rax: 0n, ZF: 1n } }, { code: 'lsl %rax, %rbx', given: { rax: 0x7bn, rbx: 9n }, then: { rbx: 0n, rax: 0x7bn } }],
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

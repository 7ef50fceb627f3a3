// Moves, stack operations and address arithmetic.
import type { InstructionRow, Execution } from './row.ts';
import { carried, carryTo, effectiveAddress, flag, proceed, read, write } from './row.ts';
import { processorOf } from '../config.ts';
import { GENERAL_DETECT_CAUSE } from '../debug.ts';
import { pop, popCarried, pushCarried } from '../carry.ts';
import { load, noteAccess, register, setRegister, store } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { DEBUG, GENERAL_PROTECTION } from '../event.ts';
import { fault, segmentLoadFaults } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RCX, RDI, RSI } from '../registers.ts';
import { DF } from '../state.ts';
import { add, ALL, constant, isConstant, SIGN, signExtend, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

function move(x: Execution): readonly Draft[] {
  const [from, to] = x.node.operands;
  const whole = x.size === 8 && (to?.kind === 'register' || to?.kind === 'memory') ? carried(x, from) : null;
  if (whole !== null) {
    carryTo(x, to, whole);
    return proceed(x);
  }
  const value = read(x, from);
  write(x, to, from?.kind === 'immediate' ? truncate(constant(from.value), x.size) : value);
  return proceed(x);
}

/** Segment, control and debug registers check what they are given. */
function checkMove(x: Execution): readonly PossibleFault[] {
  const [from, to] = x.node.operands;
  if (to?.kind !== 'system-register') return from?.kind === 'system-register' && !/^[cdefgs]s$/.test(from.name) ? checkSystem(x, from.name, null) : [];
  const value = read(x, from);
  if (/^[defgs]s$/.test(to.name)) return segmentLoadFaults(x.draft, x.setup, to.name, truncate(value, 2));
  return checkSystem(x, to.name, value);
}

const GENERAL_DETECT = 1n << 13n;

/** Control and debug registers; `value` is null for reads. CR3-01: the no-flush bit is reserved without PCIDs. */
function checkSystem(x: Execution, name: string, value: Word | null): readonly PossibleFault[] {
  if (x.draft.cpu.cpl === 3) return [fault(GENERAL_PROTECTION, true, `${name.toUpperCase()} is privileged`)];
  if (name.startsWith('dr') && (x.draft.cpu.dr7.value & GENERAL_DETECT) !== 0n) return [fault(DEBUG, true, 'DR7.GD guards the debug registers', constant(BigInt(GENERAL_DETECT_CAUSE)))];
  if (value === null) return [];
  if (name === 'cr3' && (value.value & SIGN) !== 0n && !processorOf(x.setup).pcid) return [fault(GENERAL_PROTECTION, true, 'bit 63 of CR3 is reserved without CR4.PCIDE')];
  if ((name === 'dr6' || name === 'dr7') && value.value >> 32n !== 0n) return [fault(GENERAL_PROTECTION, true, `the upper half of ${name.toUpperCase()} is reserved`)];
  return [];
}

function extend(signed: boolean, from: 1 | 2 | 4): (x: Execution) => readonly Draft[] {
  return (x) => {
    const [source, target] = x.node.operands;
    const narrow = source?.kind === 'register' ? source.size : from;
    const value = read(x, source, narrow);
    write(x, target, signed ? signExtend(value, narrow) : truncate(value, narrow));
    return proceed(x);
  };
}

function exchange(x: Execution): readonly Draft[] {
  const [a, b] = x.node.operands;
  const first = read(x, a);
  const second = read(x, b);
  write(x, a, second);
  write(x, b, first);
  return proceed(x);
}

function leave(x: Execution): readonly Draft[] {
  const rbp = register(x.draft, 5);
  setRegister(x.draft, 4, rbp);
  setRegister(x.draft, 5, pop(x.draft, x.setup));
  return proceed(x);
}

/** One row of a REP MOVS or STOS is a boundary of its own on hardware; here the whole copy is one step. */
function repeatMove(x: Execution): readonly Draft[] {
  const repeated = x.node.prefixes.some((prefix) => prefix.startsWith('rep'));
  const fills = x.node.mnemonic.startsWith('stos');
  const count = repeated ? register(x.draft, RCX) : constant(1n);
  const from = fills ? constant(0n) : register(x.draft, RSI);
  const to = register(x.draft, RDI);
  const down = flag(x.draft, DF);
  if (!isConstant(count) || !isConstant(from) || !isConstant(to) || down === null || count.value > 512n) {
    x.draft.effects.push({ kind: 'unknown', what: `${x.node.text}: count, addresses or direction are not known` });
    if (!fills) setRegister(x.draft, RSI, UNKNOWN);
    setRegister(x.draft, RDI, UNKNOWN);
    if (repeated) setRegister(x.draft, RCX, constant(0n));
    return proceed(x);
  }
  const step = down ? -BigInt(x.size) : BigInt(x.size);
  for (let index = 0n; index < count.value; index += 1n) {
    const value = fills ? register(x.draft, 0) : load(x.draft, x.setup, from.value + index * step, x.size);
    if (!fills) noteAccess(x.draft, from.value + index * step, x.size, false);
    noteAccess(x.draft, to.value + index * step, x.size, true);
    store(x.draft, x.setup, to.value + index * step, x.size, value);
  }
  if (!fills) setRegister(x.draft, RSI, add(from, constant(count.value * step)));
  setRegister(x.draft, RDI, add(to, constant(count.value * step)));
  if (repeated) setRegister(x.draft, RCX, constant(0n));
  return proceed(x);
}

const pushRow = (x: Execution): readonly Draft[] => {
  const operand = x.node.operands[0];
  const value = operand?.kind === 'immediate' ? constant(BigInt.asIntN(32, operand.value)) : null;
  pushCarried(x.draft, x.setup, (value === null ? carried(x, operand) : null) ?? { word: value ?? read(x, operand, 8), from: null });
  return proceed(x);
};

const popRow = (x: Execution): readonly Draft[] => {
  carryTo(x, x.node.operands[0], popCarried(x.draft, x.setup));
  return proceed(x);
};

export const DATA_ROWS: readonly InstructionRow[] = [
  {
    mnemonic: 'mov',
    suffixed: true,
    summary: 'copies the source to the destination; a 32-bit register write clears the upper half',
    section: 'MOV - Move',
    faults: ['GP', 'SS', 'PF', 'AC'],
    checkSystem: checkMove,
    run: move,
    examples: [
      { code: 'movq %rax, %rbx', given: { rax: 7n }, then: { rbx: 7n } },
      { code: 'movl %eax, %ebx', given: { rax: ALL, rbx: ALL }, then: { rbx: 0xffff_ffffn } },
      { code: 'movb $1, %al', given: { rax: 0xff00n }, then: { rax: 0xff01n } },
    ],
  },
  { mnemonic: 'movabs', suffixed: true, summary: 'copies a 64-bit immediate', section: 'MOV - Move', faults: [], run: move, examples: [{ code: 'movabsq $0x123456789a, %rax', given: {}, then: { rax: 0x12_3456_789an } }] },
  {
    mnemonic: 'lea',
    suffixed: true,
    summary: 'stores the effective address; no memory is accessed',
    section: 'LEA - Load Effective Address',
    faults: [],
    run: (x) => {
      const operand = x.node.operands[0];
      const address = operand?.kind === 'memory' ? effectiveAddress(x.draft, operand) : UNKNOWN;
      write(x, x.node.operands[1], truncate(address, x.size));
      return proceed(x);
    },
    examples: [{ code: 'leaq 8(%rax,%rbx,4), %rcx', given: { rax: 1n, rbx: 2n }, then: { rcx: 17n } }],
  },
  { mnemonic: 'movz', suffixed: false, summary: 'zero-extends', section: 'MOVZX - Move With Zero-Extend', faults: [], run: extend(false, 1), examples: [{ code: 'movz %al, %ebx', given: { rax: 0x1ffn }, then: { rbx: 0xffn } }] },
  { mnemonic: 'movzb', suffixed: true, summary: 'zero-extends a byte', section: 'MOVZX - Move With Zero-Extend', faults: [], run: extend(false, 1), examples: [{ code: 'movzbl %al, %ebx', given: { rax: 0x1ffn }, then: { rbx: 0xffn } }] },
  { mnemonic: 'movzw', suffixed: true, summary: 'zero-extends a word', section: 'MOVZX - Move With Zero-Extend', faults: [], run: extend(false, 2), examples: [{ code: 'movzwl %ax, %ebx', given: { rax: 0x1_ffffn }, then: { rbx: 0xffffn } }] },
  { mnemonic: 'movsb', suffixed: true, summary: 'sign-extends a byte', section: 'MOVSX - Move With Sign-Extension', faults: [], run: extend(true, 1), examples: [{ code: 'movsbq %al, %rbx', given: { rax: 0x80n }, then: { rbx: ALL - 0x7fn } }] },
  { mnemonic: 'movsw', suffixed: true, summary: 'sign-extends a word', section: 'MOVSX - Move With Sign-Extension', faults: [], run: extend(true, 2), examples: [{ code: 'movswq %ax, %rbx', given: { rax: 0x8000n }, then: { rbx: ALL - 0x7fffn } }] },
  { mnemonic: 'movslq', suffixed: false, summary: 'sign-extends a doubleword', section: 'MOVSXD - Move With Sign-Extension', faults: [], run: extend(true, 4), examples: [{ code: 'movslq %eax, %rbx', given: { rax: 0xffff_ffffn }, then: { rbx: ALL } }] },
  { mnemonic: 'xchg', suffixed: true, summary: 'exchanges two operands', section: 'XCHG - Exchange Register/Memory With Register', faults: [], run: exchange, examples: [{ code: 'xchgq %rax, %rbx', given: { rax: 1n, rbx: 2n }, then: { rax: 2n, rbx: 1n } }] },
  { mnemonic: 'push', suffixed: true, summary: 'decrements RSP by 8 and stores the operand', section: 'PUSH - Push Word, Doubleword, or Quadword Onto the Stack', faults: ['SS', 'PF', 'AC'], stack: 'push', run: pushRow, examples: [{ code: 'pushq %rax', given: { rsp: 0x1000n }, then: { rsp: 0xff8n } }] },
  { mnemonic: 'pop', suffixed: true, summary: 'loads the operand from the stack and increments RSP by 8', section: 'POP - Pop a Value From the Stack', faults: ['SS', 'PF', 'AC'], stack: 'pop', run: popRow, examples: [{ code: 'popq %rax', given: { rsp: 0x1000n }, then: { rsp: 0x1008n } }] },
  { mnemonic: 'leave', suffixed: true, summary: 'RSP := RBP, then pops RBP', section: 'LEAVE - High Level Procedure Exit', faults: [], run: leave, examples: [{ code: 'leave', given: { rbp: 0x1000n }, then: { rsp: 0x1008n } }] },
  { mnemonic: 'movs', suffixed: true, summary: 'copies a string; DF chooses the direction', section: 'MOVS/MOVSB/MOVSW/MOVSD/MOVSQ - Move Data From String to String', faults: ['PF'], run: repeatMove, examples: [{ code: 'movsq', given: { rsi: 0x1000n, rdi: 0x2000n, DF: 0n }, then: { rsi: 0x1008n, rdi: 0x2008n } }] },
  { mnemonic: 'stos', suffixed: true, summary: 'fills a string with RAX', section: 'STOS/STOSB/STOSW/STOSD/STOSQ - Store String', faults: ['PF'], run: repeatMove, examples: [{ code: 'stosq', given: { rdi: 0x2000n, DF: 0n }, then: { rdi: 0x2008n } }, { code: 'rep stosq', given: { rdi: 0x2000n, rcx: 4n, DF: 1n }, then: { rdi: 0x1fe0n, rcx: 0n } }] },
];

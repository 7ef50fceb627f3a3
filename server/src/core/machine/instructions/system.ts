// Flags, GS base, model-specific registers and fences.
import type { Execution, InstructionRow } from './row.ts';
import { proceed, read, write } from './row.ts';
import { processorOf } from '../config.ts';
import { pop, push } from '../carry.ts';
import { changeCpu, register, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { GENERAL_PROTECTION } from '../event.ts';
import { loadFlags } from '../flags.ts';
import { msrFaults, readMsr, writeMsr } from '../msr.ts';
import { canonicalFaults, fault } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RAX, RBX, RCX, RDX } from '../registers.ts';
import { AC, CF, DF, IF, IOPL, RF, VM } from '../state.ts';
import { ALL, and, constant, isConstant, opaque, or, shiftLeft, shiftRight, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

/** Names of the flags that rows change, for their examples. */
const NAMES: ReadonlyMap<bigint, string> = new Map([[IF, 'IF'], [DF, 'DF'], [AC, 'AC'], [CF, 'CF']]);

function flagRow(mnemonic: string, bit: bigint, on: boolean, section: string, summary: string): InstructionRow {
  return {
    mnemonic,
    suffixed: false,
    summary,
    section,
    faults: bit === IF ? ['GP'] : [],
    ...(bit === IF ? { check: needsIopl } : {}),
    run: (x) => {
      x.draft.flags = on ? or(x.draft.flags, constant(bit)) : and(x.draft.flags, constant(~bit));
      return proceed(x);
    },
    examples: [{ code: mnemonic, given: { [NAMES.get(bit) ?? '']: on ? 0n : 1n }, then: { [NAMES.get(bit) ?? '']: on ? 1n : 0n } }],
  };
}

/** Tells that IF became 1: on a stack that rewinds under a live frame, or with NMIs blocked, rules care. */
export function noteIrqsEnabled(draft: Draft, rewinding: boolean): void {
  draft.effects.push({ kind: 'irqs-enabled', liveRewinding: rewinding, nmiBlocked: draft.cpu.nmiBlocked });
}

export function onLiveRewindingStack(x: { readonly draft: Draft; readonly setup: Execution['setup'] }): boolean {
  const frame = x.draft.frames.at(-1);
  return frame !== undefined && x.setup.layout.regions[frame.region]?.rewinding === true;
}

/** SHD-01: STI that sets IF blocks maskable interrupts for one more instruction. */
function sti(x: Execution): readonly Draft[] {
  const was = (x.draft.flags.known & IF) !== 0n && (x.draft.flags.value & IF) !== 0n;
  x.draft.flags = or(x.draft.flags, constant(IF));
  noteIrqsEnabled(x.draft, onLiveRewindingStack(x));
  const out = proceed(x);
  // SHD-03: behind MOV SS only where the processor adds shadows up.
  if (!was && (x.shadow === 'none' || processorOf(x.setup).choices.shadowsAddUp)) changeCpu(x.draft, { shadow: 'sti' });
  return out;
}

/** Bits that POPF loads at CPL 0; RF is cleared. */
const LOADED = 0x24_7fd5n;

function popFlags(x: Execution): readonly Draft[] {
  const image = pop(x.draft, x.setup);
  x.draft.flags = loadFlags(x.draft, image, LOADED);
  if ((x.draft.flags.known & IF) === 0n || (x.draft.flags.value & IF) !== 0n) noteIrqsEnabled(x.draft, onLiveRewindingStack(x));
  return proceed(x);
}

/** GS-01: exchanges the GS base with IA32_KERNEL_GS_BASE; no memory of nesting. */
function swapgs(x: Execution): readonly Draft[] {
  changeCpu(x.draft, { gsBase: x.draft.cpu.kernelGsBase, kernelGsBase: x.draft.cpu.gsBase });
  return proceed(x);
}

function rdmsr(x: Execution): readonly Draft[] {
  const number = register(x.draft, RCX);
  const value = isConstant(number) ? readMsr(x.draft, x.setup, number.value & 0xffff_ffffn) : UNKNOWN;
  setRegister(x.draft, RAX, truncate(value, 4));
  setRegister(x.draft, RDX, shiftRight(value, 32));
  return proceed(x);
}

function wrmsr(x: Execution): readonly Draft[] {
  const number = register(x.draft, RCX);
  if (isConstant(number)) writeMsr(x.draft, x.setup, number.value & 0xffff_ffffn, written(x));
  return proceed(x);
}

function written(x: Execution): Word {
  return or(truncate(register(x.draft, RAX), 4), shiftLeft(truncate(register(x.draft, RDX), 4), 32));
}

/** CLI and STI need IOPL, the others CPL 0 (SDM vol. 3A, "Privileged Instructions"). */
function privileged(x: Execution): readonly PossibleFault[] {
  return x.draft.cpu.cpl === 3 ? [fault(GENERAL_PROTECTION, true, `${x.node.mnemonic} is privileged`)] : [];
}

function needsIopl(x: Execution): readonly PossibleFault[] {
  const { cpu, flags } = x.draft;
  if (cpu.cpl === 0) return [];
  const open = (flags.known & IOPL) !== IOPL ? null : (flags.value & IOPL) === IOPL;
  return open === true ? [] : [fault(GENERAL_PROTECTION, open === false, `${x.node.mnemonic} needs IOPL 3 in user mode`)];
}

/** GS-06. */
function checkSwapgs(x: Execution): readonly PossibleFault[] {
  return x.setup.delivery === 'fred' ? [fault(6, true, 'SWAPGS does not exist under FRED')] : privileged(x);
}

function checkBase(x: Execution): readonly PossibleFault[] {
  if (!processorOf(x.setup).fsgsbase) return [fault(6, true, 'CR4.FSGSBASE is 0')];
  return x.node.mnemonic.startsWith('wr') && x.size === 8 ? canonicalFaults(x.setup, read(x, x.node.operands[0], 8), 'the value') : [];
}

function nothing(mnemonic: string, section: string, summary: string): InstructionRow {
  return { mnemonic, suffixed: mnemonic === 'nop', summary, section, faults: [], run: proceed, examples: [{ code: mnemonic, given: { rax: 5n, DF: 1n }, then: { rax: 5n, DF: 1n } }] };
}

function forgets(mnemonic: string, section: string, summary: string, registers: readonly number[], code = mnemonic): InstructionRow {
  return {
    mnemonic,
    suffixed: mnemonic === 'in',
    summary,
    section,
    faults: ['GP'],
    run: (x) => {
      for (const index of registers) setRegister(x.draft, index, UNKNOWN);
      return proceed(x);
    },
    examples: [{ code, given: { rsi: 5n, DF: 1n }, then: { rsi: 5n, DF: 1n } }],
  };
}

function ends(mnemonic: string, section: string, summary: string, why: string): InstructionRow {
  return {
    mnemonic,
    suffixed: false,
    summary,
    section,
    faults: [],
    run: (x) => {
      x.draft.ended = why;
      x.draft.effects.push({ kind: 'ended', why });
      return [x.draft];
    },
    examples: [{ code: mnemonic, given: { rax: 5n }, then: { rax: 5n } }],
  };
}

export const SYSTEM_ROWS: readonly InstructionRow[] = [
  flagRow('cli', IF, false, 'CLI - Clear Interrupt Flag', 'clears IF: maskable interrupts wait'),
  { mnemonic: 'sti', suffixed: false, summary: 'sets IF; where it was clear, maskable interrupts wait for one more instruction', section: 'STI - Set Interrupt Flag', faults: ['GP'], check: needsIopl, run: sti, examples: [{ code: 'sti', given: { IF: 0n }, then: { IF: 1n } }] },
  flagRow('cld', DF, false, 'CLD - Clear Direction Flag', 'clears DF, which event delivery does not (DEL-03)'),
  flagRow('std', DF, true, 'STD - Set Direction Flag', 'sets DF'),
  flagRow('clac', AC, false, 'CLAC - Clear AC Flag in EFLAGS Register', 'clears AC: user memory is out of bounds under SMAP'),
  flagRow('stac', AC, true, 'STAC - Set AC Flag in EFLAGS Register', 'sets AC: user memory may be accessed under SMAP'),
  flagRow('clc', CF, false, 'CLC - Clear Carry Flag', 'clears CF'),
  flagRow('stc', CF, true, 'STC - Set Carry Flag', 'sets CF'),
  {
    mnemonic: 'pushf',
    suffixed: true,
    summary: 'pushes RFLAGS; RF and VM read as 0',
    section: 'PUSHF/PUSHFD/PUSHFQ - Push EFLAGS Register Onto the Stack',
    faults: ['SS', 'PF'],
    stack: 'push',
    run: (x) => {
      push(x.draft, x.setup, and(x.draft.flags, constant(~(RF | VM))));
      return proceed(x);
    },
    examples: [{ code: 'pushfq', given: { rsp: 0x1000n }, then: { rsp: 0xff8n } }],
  },
  { mnemonic: 'popf', suffixed: true, summary: 'pops RFLAGS', section: 'POPF/POPFD/POPFQ - Pop Stack Into EFLAGS Register', faults: ['SS', 'PF'], stack: 'pop', run: popFlags, examples: [{ code: 'popfq', given: { rsp: 0x1000n }, then: { rsp: 0x1008n } }] },
  { mnemonic: 'swapgs', suffixed: false, summary: 'exchanges the GS base with IA32_KERNEL_GS_BASE', section: 'SWAPGS - Swap GS Base Register', faults: ['GP', 'UD'], check: checkSwapgs, run: swapgs, examples: [{ code: 'swapgs', given: { rax: 5n, IF: 0n }, then: { rax: 5n, IF: 0n } }] },
  { mnemonic: 'rdmsr', suffixed: false, summary: 'EDX:EAX := MSR[ECX]', section: 'RDMSR - Read From Model Specific Register', faults: ['GP'], check: (x) => msrFaults(x.draft, x.setup, register(x.draft, RCX), null), run: rdmsr, examples: [{ code: 'rdmsr', given: { rcx: 0x17an }, then: { rax: 0n, rdx: 0n } }] },
  { mnemonic: 'wrmsr', suffixed: false, summary: 'MSR[ECX] := EDX:EAX', section: 'WRMSR - Write to Model Specific Register', faults: ['GP'], check: (x) => msrFaults(x.draft, x.setup, register(x.draft, RCX), written(x)), run: wrmsr, examples: [{ code: 'wrmsr', given: { rcx: 0x17an, rax: 0n, rdx: 0n }, then: { rcx: 0x17an, rax: 0n } }] },
  {
    mnemonic: 'rdgsbase',
    suffixed: true,
    summary: 'reads the GS base',
    section: 'RDFSBASE/RDGSBASE - Read FS/GS Segment Base',
    faults: ['UD'],
    check: checkBase,
    run: (x) => {
      write(x, x.node.operands[0], x.draft.cpu.gsBase, x.size);
      return proceed(x);
    },
    examples: [{ code: 'rdgsbase %rax', given: { rbx: 5n }, then: { rbx: 5n } }],
  },
  {
    mnemonic: 'wrgsbase',
    suffixed: true,
    summary: 'writes the GS base',
    section: 'WRFSBASE/WRGSBASE - Write FS/GS Segment Base',
    faults: ['UD', 'GP'],
    check: checkBase,
    run: (x) => {
      changeCpu(x.draft, { gsBase: read(x, x.node.operands[0], x.size) });
      return proceed(x);
    },
    examples: [{ code: 'wrgsbase %rax', given: { rax: 5n }, then: { rax: 5n } }],
  },
  {
    mnemonic: 'rdpid',
    suffixed: false,
    summary: 'reads IA32_TSC_AUX, which a guest of KVM may have set',
    section: 'RDPID - Read Processor ID',
    faults: ['UD'],
    run: (x) => {
      write(x, x.node.operands[0], opaque('IA32_TSC_AUX', ALL & ~0xffff_ffffn, 0n), 8);
      return proceed(x);
    },
    examples: [{ code: 'rdpid %rax', given: { rbx: 5n }, then: { rbx: 5n } }],
  },
  nothing('nop', 'NOP - No Operation', 'does nothing'),
  nothing('lfence', 'LFENCE - Load Fence', 'waits for earlier loads: a speculation barrier'),
  nothing('mfence', 'MFENCE - Memory Fence', 'orders memory accesses'),
  nothing('sfence', 'SFENCE - Store Fence', 'orders stores'),
  nothing('pause', 'PAUSE - Spin Loop Hint', 'hints that this is a spin loop'),
  nothing('endbr64', 'ENDBR64 - Terminate an Indirect Branch in 64-bit Mode', 'marks a target of indirect branches'),
  { ...ends('hlt', 'HLT - Halt', 'waits for an event', 'hlt'), faults: ['GP'], check: privileged },
  forgets('cpuid', 'CPUID - CPU Identification', 'tells what the processor is; nothing here depends on it', [RAX, RBX, RCX, RDX]),
  forgets('rdtsc', 'RDTSC - Read Time-Stamp Counter', 'reads the time-stamp counter', [RAX, RDX]),
  { ...nothing('wbinvd', 'WBINVD - Write Back and Invalidate Cache', 'writes back and empties the caches'), faults: ['GP'], check: privileged },
  { ...nothing('clts', 'CLTS - Clear Task-Switched Flag in CR0', 'clears CR0.TS'), faults: ['GP'], check: privileged },
  { ...nothing('out', 'OUT - Output to Port', 'writes to an I/O port'), suffixed: true, examples: [{ code: 'outb %al, %dx', given: { rax: 5n }, then: { rax: 5n } }] },
  forgets('in', 'IN - Input From Port', 'reads from an I/O port', [RAX], 'inb %dx, %al'),
];

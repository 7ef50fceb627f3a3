// The doors that no event goes through: system calls, by a gate or without, the first code of a new task, routines that
// C code calls; and the state in which each is entered.
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, finish, setRegister, store } from '../machine/draft.ts';
import { deliver } from '../machine/deliver.ts';
import { addressOfNode, stackNamed, top } from '../machine/layout.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { AC, ARITHMETIC, DF, IF, KERNEL_CS, KERNEL_SS, NT, USER_CS, USER_SS } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { and, constant, isConstant, or, UNKNOWN } from '../machine/word.ts';
import type { Handler, Program } from '../program/program.ts';
import type { Door } from './entry-start.ts';

/** Under FRED SYSCALL and SYSENTER are events and enter by its doors (FR-01). */
export function instructionDoors(program: Program): readonly (Door & { kind: 'instruction' })[] {
  if (program.fred !== null) return [];
  const doors: (Door & { kind: 'instruction' })[] = [];
  for (const name of ['entry_SYSCALL_64', 'entry_SYSCALL_compat', 'entry_SYSCALL32_ignore', 'ignore_sysret', ...program.syscallEntries]) {
    const entry = program.code.symbols.get(name);
    if (entry !== undefined) doors.push({ kind: 'instruction', entry, name, instruction: 'SYSCALL' });
  }
  const sysenter = program.code.symbols.get('entry_SYSENTER_compat');
  if (sysenter !== undefined) doors.push({ kind: 'instruction', entry: sysenter, name: 'entry_SYSENTER_compat', instruction: 'SYSENTER' });
  return doors;
}

/** Below it are the exceptions, whose gates user mode may be given as well: #BP, #OF (SDM vol. 3A, "Exceptions and Interrupts"). */
const FIRST_OTHER_VECTOR = 32;

/**
 * Whether a gate is a system call's: one that INT n may use in user mode (IDT-02), at a vector that no exception has and
 * that the kernel keeps from devices (arch/x86/kernel/idt.c, `system_vectors`). Linux's stubs for events, `asm_*`, are
 * made to be entered from anywhere, as that of INT 0x80 is since be5341eb0d43.
 */
export function isSystemCallGate(program: Program, { vector, dpl, stubName, synthesized }: Handler): boolean {
  return program.fred === null && !synthesized && dpl === 3 && vector >= FIRST_OTHER_VECTOR && !stubName.startsWith('asm_');
}

export function softwareInterruptDoors(program: Program): readonly (Door & { kind: 'software-interrupt' })[] {
  return program.handlers.filter((handler) => isSystemCallGate(program, handler)).map(({ vector, stub, stubName }) => ({ kind: 'software-interrupt', vector, stub, name: stubName }));
}

/** What no gate leads to, and gates that no event goes through: all are taken from user mode alone. */
export function userDoors(program: Program): readonly (Door & { kind: 'instruction' | 'software-interrupt' })[] {
  return [...instructionDoors(program), ...softwareInterruptDoors(program)];
}

export function wayOutDoor(program: Program): (Door & { kind: 'way-out' }) | null {
  if (program.syscallExit !== null) return { kind: 'way-out', ...program.syscallExit };
  const name = ['ret_from_fork_asm', 'ret_from_fork'].find((one) => program.code.symbols.has(one));
  const entry = name === undefined ? undefined : program.code.symbols.get(name);
  return name === undefined || entry === undefined ? null : { kind: 'way-out', entry, name, of: 'a new task' };
}

/** Order of the general registers in struct pt_regs, lowest address first (arch/x86/include/asm/ptrace.h). */
const PT_REGS_ORDER = [15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7];

/** copy_thread() leaves the parent's pt_regs at the top of the new task's stack (arch/x86/kernel/process.c). */
export function newTask(setup: MachineSetup, entry: NodeId, kernel: State, user: State): State {
  const draft = draftOf({ ...kernel, node: entry });
  const regs = setup.layout.regions[setup.taskStack];
  const base = (regs === undefined ? 0n : top(regs)) - 168n;
  const words = [...PT_REGS_ORDER.map((index) => user.registers[index] ?? UNKNOWN), UNKNOWN, constant(addressOfNode(user.node, true)), constant(USER_CS), user.flags, user.registers[RSP] ?? UNKNOWN, constant(USER_SS)];
  words.forEach((value, index) => store(draft, setup, base + BigInt(index * 8), 8, value));
  setRegister(draft, RSP, constant(base));
  return finish(draft);
}

const RCX = REGISTER_NAMES.indexOf('rcx');
const R11 = REGISTER_NAMES.indexOf('r11');
/** SYS-02: Linux clears all flags that user space can set but ID and the unused ones. */
const LINUX_FMASK = ARITHMETIC | IF | DF | NT | AC | (1n << 8n) | (3n << 12n) | (1n << 16n) | (1n << 21n);

const KERNEL_MODE = { cpl: 0, cs: constant(KERNEL_CS), ss: constant(KERNEL_SS) } as const;

/** SYSCALL and SYSENTER: SYS-01, SYS-08; INT n as any delivery from user mode. */
export function enterBy(program: Program, setup: MachineSetup, door: Door & { kind: 'instruction' | 'software-interrupt' }, user: State): State {
  if (door.kind === 'software-interrupt') {
    const draft = draftOf(user);
    deliver(draft, setup, door.vector, { kind: 'software-interrupt' });
    return finish(draft);
  }
  const registers = [...user.registers];
  if (door.instruction === 'SYSCALL') {
    registers[RCX] = constant(addressOfNode(user.node, true));
    registers[R11] = user.flags;
    return { ...user, node: door.entry, registers, flags: or(and(user.flags, constant(~LINUX_FMASK)), constant(2n)), cpu: { ...user.cpu, ...KERNEL_MODE } };
  }
  const entry = stackNamed(program.layout, 'entry');
  registers[RSP] = constant(entry === null ? setup.rsp0 : top(entry));
  return { ...user, node: door.entry, registers, flags: and(user.flags, constant(~IF)), cpu: { ...user.cpu, ...KERNEL_MODE } };
}

/** Files of entry code proper: others are linked for what they call. */
const ENTRY_FOLDER = /(^|\/)arch\/x86\/entry\//;

/** Symbols that are typed as functions: they may be called from C; other code may not. */
function routinesOf(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const stream of program.streams) {
    for (const item of stream.items) {
      if (item.kind === 'directive' && item.name === '.type' && /STT_FUNC|@function/.test(item.arguments.join(' '))) names.add(item.arguments[0]?.split(/[\s,]/)[0] ?? '');
    }
  }
  return names;
}

/** Code that is no function by its type and that C code calls all the same (arch/x86/kernel/dumpstack.c). */
const CALLED_BY_C: ReadonlySet<string> = new Set(['rewind_stack_and_make_dead']);

/** With FRED the GS base is loaded by LKGS, and SWAPGS is no instruction (GS-06). */
const NOT_WITH_FRED: ReadonlySet<string> = new Set(['asm_load_gs_index']);

/** There to raise #UD and nothing else: its handler tells what is to be warned of. */
export const TRAPS: ReadonlySet<string> = new Set(['__WARN_trap']);

/** Routines with a `.size` that no path reaches: C code calls them. Those for Xen PV are not native code. */
export function callDoors(program: Program): (Door & { kind: 'call' })[] {
  const doors: (Door & { kind: 'call' })[] = [];
  const routines = routinesOf(program);
  for (const info of program.functions.values()) {
    if (info.language !== 'asm' || /xen/i.test(info.name) || TRAPS.has(info.name) || (program.fred !== null && NOT_WITH_FRED.has(info.name)) || !ENTRY_FOLDER.test(info.place.file)) continue;
    const node = program.code.nodes[info.entry];
    if (node?.kind !== 'instruction' && node?.kind !== 'feature') continue;
    if (node.symbol === info.name && (routines.has(info.name) || CALLED_BY_C.has(info.name))) doors.push({ kind: 'call', entry: info.entry, name: info.name });
  }
  return doors;
}

export function calledFrom(state: State, entry: NodeId, program: Program): State {
  const rsp = state.registers[RSP];
  if (rsp === undefined || !isConstant(rsp)) return state;
  const registers = [...state.registers];
  registers[RSP] = constant(rsp.value - 8n);
  const task = program.layout.regions.find((region) => region.name === 'task');
  if (task === undefined) return state;
  const slot = Number((top(task) - 1n - (rsp.value - 8n)) >> 3n);
  const words = [...(state.memory[task.index] ?? [])];
  while (words.length < slot) words.push(undefined);
  words[slot] = constant(addressOfNode(program.contexts.get('inside C') ?? 0, false));
  const memory = state.memory.map((region, index) => (index === task.index ? words : region));
  return { ...state, node: entry, registers, memory };
}

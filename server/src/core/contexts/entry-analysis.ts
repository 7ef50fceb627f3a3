// All entry paths of a program: every door from every context, found by running the paths themselves, until no path shows
// a context that no stub has been run from. Keeps one representative path to each context of each instruction.
import type { CpuVariant } from '../kernel/variants.ts';
import type { InstructionNode, NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, finish, load, setRegister, store } from '../machine/draft.ts';
import { addressOfNode, stackNamed, top } from '../machine/layout.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { AC, ARITHMETIC, DF, IF, KERNEL_CS, KERNEL_SS, NT, USER_CS, USER_SS } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { and, constant, isConstant, or, UNKNOWN } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Handler, Program } from '../program/program.ts';
import { delivered, followPath, listOf, meetingPoints, ripClasses } from './entry-paths.ts';
import type { Choices, Monitor, PathStep } from './entry-paths.ts';
import { contextKey, entrySetup, outsideContexts } from './entry-start.ts';
import type { Door, PathStart } from './entry-start.ts';
import { shapesOf } from './shapes.ts';

/** One way to be at an instruction. */
export interface Reached {
  readonly state: State;
  readonly start: PathStart;
  readonly choices: readonly number[];
}

export interface EntryAnalysis {
  readonly program: Program;
  readonly setup: MachineSetup;
  /** Runs up to that many further starts; true when nothing is left. */
  readonly advance: (starts: number) => boolean;
  readonly reached: (node: NodeId) => readonly Reached[];
  readonly starts: () => number;
  readonly steps: () => number;
  /** Starts whose paths went on longer than any real one does. */
  readonly unbounded: () => readonly string[];
  readonly doors: readonly Door[];
}

/** Sees every step of every path. */
export type Observer = (step: PathStep, monitors: readonly number[], choices: Choices, depth: number) => void;

/** Events that no flag holds off and that may come between any two instructions of a stub (rules.md: `NMI-like`). */
const NMI_LIKE: readonly number[] = [2, 18, 1, 29];
/** What IRET to user mode may raise before it commits (IRET-05). */
const IRET_FAULTS: readonly number[] = [13, 11, 12];
/** What loading a segment register may raise (SDM vol. 2, "MOV - Move"). */
const SEGMENT_FAULTS: readonly number[] = [13, 11];

const MOST_CONTEXTS = 12;

/** A configuration without a feature's code is one on which the feature is off. */
function variantsOf(program: Program, all: readonly CpuVariant[]): readonly CpuVariant[] {
  const known = new Set(program.code.nodes.flatMap((node) => (node.kind === 'feature' ? [node.feature] : [])));
  const byFeatures = new Map<string, CpuVariant>();
  for (const variant of all) {
    let present = variant.present.filter((name) => !/_(PTI|PCID|FSGSBASE)$/.test(name) || known.has(name));
    if (!present.includes('X86_FEATURE_PTI') && variant.present.includes('X86_FEATURE_PTI')) present = [...present, 'X86_FEATURE_FENCE_SWAPGS_USER'];
    const key = [...new Set(present)].sort().join();
    if (!byFeatures.has(key)) byFeatures.set(key, { name: variant.name, present });
  }
  return [...byFeatures.values()];
}

export function createEntryAnalysis(program: Program, all: readonly CpuVariant[], monitors: readonly Monitor[], observe: Observer): EntryAnalysis {
  const variants = variantsOf(program, all);
  const meet = meetingPoints(program);
  const ripClass = ripClasses(program);
  const shapes = shapesOf(program);
  const insideC = program.contexts.get('inside C') ?? -1;
  const reached = new Map<NodeId, Map<string, Reached>>();
  const known = new Set<string>();
  const waiting: PathStart[] = [];
  const tooLong: string[] = [];
  let made = 0;
  let steps = 0;
  const setups = new Map<CpuVariant, MachineSetup>();
  const setupOf = (variant: CpuVariant): MachineSetup => {
    const found = setups.get(variant);
    if (found !== undefined) return found;
    const fresh = entrySetup(program, variant);
    setups.set(variant, fresh);
    return fresh;
  };

  function add(door: Door, variant: CpuVariant, interrupted: State, first: State, from: string, user: boolean, parent: PathStart['parent']): void {
    made += 1;
    waiting.push({ id: made, door, variant, interrupted, first, from, user, parent });
  }

  /** Starts an event at a state unless a stub of the same shape was started from a context that it could not tell apart. */
  function interrupt(vector: number, variant: CpuVariant, state: State, key: string, from: string, parent: PathStart['parent']): void {
    const handler = shapes.representative(vector);
    if (handler === null) return;
    const name = `${variant.name}|${handler.vector}|${key}`;
    if (known.has(name)) return;
    known.add(name);
    const first = delivered(setupOf(variant), state, handler.vector);
    if (first === null || first.ended !== null) return;
    add({ kind: 'event', vector: handler.vector, stub: handler.stub, name: handler.stubName }, variant, state, first, from, state.cpu.cpl === 3, parent);
  }

  function note(start: PathStart, state: State, choices: Choices): void {
    const rip = ripClass(state.node);
    const key = contextKey(setupOf(start.variant), state, rip);
    const full = `${start.variant.name}|${key}`;
    let at = reached.get(state.node);
    if (at === undefined) reached.set(state.node, (at = new Map()));
    if (!at.has(full) && at.size < MOST_CONTEXTS * variants.length) at.set(full, { state, start, choices: listOf(choices) });
    const parent = (): PathStart['parent'] => ({ start, choices: listOf(choices) });
    if (nameless(state.registers[RSP])) return;
    const inC = state.node === insideC;
    if (inC) {
      for (const handler of shapes.representatives) if (handler.vector !== 2 || !state.cpu.nmiBlocked) once(handler.vector, state, key, start, parent);
      return;
    }
    for (const vector of NMI_LIKE) if (vector !== 2 || !state.cpu.nmiBlocked) once(vector, state, key, start, parent);
    const node = program.code.nodes[state.node];
    if (node?.kind !== 'instruction') return;
    for (const vector of faultsOf(node, state, setupOf(start.variant))) once(vector, state, `${key}|fault`, start, parent);
  }

  function once(vector: number, state: State, key: string, start: PathStart, parent: () => PathStart['parent']): void {
    const handler = shapes.representative(vector);
    if (handler === null || known.has(`${start.variant.name}|${handler.vector}|${key}`)) return;
    const node = program.code.nodes[state.node];
    interrupt(vector, start.variant, state, key, node === undefined ? '' : node.kind === 'interrupted' ? `C code that ${start.door.name} calls` : `${node.symbol}: ${node.text}`, parent());
  }

  for (const variant of variants) {
    const setup = setupOf(variant);
    for (const outside of outsideContexts(program, variant)) {
      const user = outside.state.cpu.cpl === 3;
      for (const handler of shapes.representatives) {
        if (user && handler.vector === 8) continue;
        interrupt(handler.vector, variant, outside.state, contextKey(setup, outside.state, -1), outside.title, null);
      }
      if (!user) continue;
      const fork = forkDoor(program);
      const closed = outsideContexts(program, variant).find((one) => one.name === 'kernel-irqs-off');
      if (fork !== null && closed !== undefined && outside.name === 'user') add(fork, variant, outside.state, newTask(setup, fork.entry, closed.state, outside.state), 'the scheduler', false, null);
      for (const door of instructionDoors(program)) {
        const first = enterBy(program, setup, door, outside.state);
        add(door, variant, outside.state, first, outside.title, true, null);
      }
    }
  }
  const stubs = new Set(program.handlers.map((handler) => handler.stub));
  const calls = callDoors(program).filter((door) => !stubs.has(door.entry) && shapes.counterpart(door.entry) === null);

  function addCalls(): boolean {
    const door = calls.find((one) => !reached.has(one.entry));
    if (door === undefined) return false;
    calls.splice(calls.indexOf(door), 1);
    for (const variant of variants) {
      const outside = outsideContexts(program, variant).find((one) => one.name === 'kernel-irqs-off');
      if (outside === undefined) continue;
      add(door, variant, outside.state, calledFrom(outside.state, door.entry, program), 'C code', false, null);
    }
    return true;
  }

  return {
    program,
    setup: setupOf(variants[0] ?? { name: '', present: [] }),
    advance: (starts) => {
      for (let run = 0; run < starts; run += 1) {
        const start = waiting.shift();
        if (start === undefined) {
          if (!addCalls()) return true;
          continue;
        }
        followPath(program, setupOf(start.variant), start, monitors, meet, {
          step: (step, values, choices, depth) => {
            steps += 1;
            observe(step, values, choices, depth);
          },
          state: (state, choices) => note(start, state, choices),
          tooLong: () => tooLong.push(`${start.door.name} from ${start.from}`),
        });
      }
      return waiting.length === 0 && !calls.some((one) => !reached.has(one.entry));
    },
    reached: (node) => [...((reached.get(node) ?? reached.get(shapes.counterpart(node) ?? -1))?.values() ?? [])],
    starts: () => made,
    steps: () => steps,
    unbounded: () => tooLong,
    doors: [...shapes.representatives.map(doorOf), ...instructionDoors(program), ...calls],
  };
}

/** Nobody knows where a frame would go: a coroutine switch to a task that is not in view. */
function nameless(rsp: Word | undefined): boolean {
  return rsp === undefined || (!isConstant(rsp) && rsp.name === '');
}

function doorOf(handler: Handler): Door {
  return { kind: 'event', vector: handler.vector, stub: handler.stub, name: handler.stubName };
}

/** Faults of the instruction itself that its code expects: IRET to user mode, and loads of segment registers. */
function faultsOf(node: InstructionNode, state: State, setup: MachineSetup): readonly number[] {
  if (node.mnemonic === 'iretq') {
    const rsp = state.registers[RSP];
    if (rsp === undefined || !isConstant(rsp)) return [];
    const cs = load(draftOf(state), setup, rsp.value + 8n, 8);
    return (cs.known & 3n) === 3n && (cs.value & 3n) === 3n ? IRET_FAULTS : [];
  }
  const target = node.operands.at(-1);
  if (/^mov[lwq]?$/.test(node.mnemonic) && target?.kind === 'system-register' && /^[defg]s$/.test(target.name)) {
    const source = node.operands[0];
    const value = source?.kind === 'register' ? state.registers[source.register] : undefined;
    // The kernel's own selectors and null are always good.
    return value === undefined || !isConstant(value) ? SEGMENT_FAULTS : [];
  }
  return [];
}

function instructionDoors(program: Program): readonly (Door & { kind: 'instruction' })[] {
  const doors: (Door & { kind: 'instruction' })[] = [];
  for (const name of ['entry_SYSCALL_64', 'entry_SYSCALL_compat', 'entry_SYSCALL32_ignore']) {
    const entry = program.code.symbols.get(name);
    if (entry !== undefined) doors.push({ kind: 'instruction', entry, name, instruction: 'SYSCALL' });
  }
  const sysenter = program.code.symbols.get('entry_SYSENTER_compat');
  if (sysenter !== undefined) doors.push({ kind: 'instruction', entry: sysenter, name: 'entry_SYSENTER_compat', instruction: 'SYSENTER' });
  return doors;
}

function forkDoor(program: Program): (Door & { kind: 'fork' }) | null {
  const name = ['ret_from_fork_asm', 'ret_from_fork'].find((one) => program.code.symbols.has(one));
  const entry = name === undefined ? undefined : program.code.symbols.get(name);
  return name === undefined || entry === undefined ? null : { kind: 'fork', entry, name };
}

/** Order of the general registers in struct pt_regs, lowest address first (arch/x86/include/asm/ptrace.h). */
const PT_REGS_ORDER = [15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7];

/** copy_thread() leaves the parent's pt_regs at the top of the new task's stack (arch/x86/kernel/process.c). */
function newTask(setup: MachineSetup, entry: NodeId, kernel: State, user: State): State {
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

/** SYSCALL and SYSENTER: SYS-01, SYS-08. */
function enterBy(program: Program, setup: MachineSetup, door: Door & { kind: 'instruction' }, user: State): State {
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

/** Routines with a `.size` that no path reaches: C code calls them. Those for Xen PV are not native code. */
function callDoors(program: Program): (Door & { kind: 'call' })[] {
  const doors: (Door & { kind: 'call' })[] = [];
  const routines = routinesOf(program);
  for (const info of program.functions.values()) {
    if (info.language !== 'asm' || /xen/i.test(info.name)) continue;
    const node = program.code.nodes[info.entry];
    if (node?.kind !== 'instruction' && node?.kind !== 'feature') continue;
    if (node.symbol === info.name && routines.has(info.name)) doors.push({ kind: 'call', entry: info.entry, name: info.name });
  }
  return doors;
}

function calledFrom(state: State, entry: NodeId, program: Program): State {
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

export function titleOfStart(start: PathStart): string {
  switch (start.door.kind) {
    case 'event':
      return `${vectorTitle(start.door.vector)} from ${start.from}`;
    case 'instruction':
      return `${start.door.instruction} from ${start.from}`;
    case 'fork':
      return 'a new task';
    case 'call':
      return `call of ${start.door.name}()`;
  }
}

// Where an entry path starts: the context that was interrupted and the door through which the kernel is entered. One
// start a door, a context and a CPU variant; contexts that no stub could tell apart count as one.
import type { CpuVariant } from '../kernel/variants.ts';
import { FIXED_FEATURES } from '../kernel/variants.ts';
import { PRIMITIVE_BY_NAME, STACK_TOP_NAMES, TOP_OF_STACK_NAMES } from '../kernel/primitives.ts';
import { ASM_OFFSETS } from '../kernel/offsets.ts';
import { PER_CPU_STACK_TOPS } from '../kernel/stacks.ts';
import type { NodeId } from '../machine/code.ts';
import type { Gate, MachineSetup } from '../machine/config.ts';
import { GLOBAL_REGION, PERCPU_REGION, regionBase, stackNamed, stackOf, top } from '../machine/layout.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { AC, ARITHMETIC, DF, ID, IF, INITIAL_CPU, NT, USER_CS, USER_SS } from '../machine/state.ts';
import type { State } from '../machine/state.ts';
import { ALL, constant, isConstant, opaque, SIGN, word } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Program, WayOut } from '../program/program.ts';

/** CR3 bits that tell the user page table and PCID from the kernel's (CR3-01). */
export const USER_CR3 = 1n << 12n;
export const USER_PCID = 1n << 11n;

export type Door =
  | { readonly kind: 'event'; readonly vector: number; readonly stub: NodeId; readonly name: string }
  /** SYSCALL, SYSENTER: nothing is pushed, RSP is the user's or the MSR's. */
  | { readonly kind: 'instruction'; readonly entry: NodeId; readonly name: string; readonly instruction: 'SYSCALL' | 'SYSENTER' }
  /** A gate that INT n in user mode alone goes through: a system call with a frame. */
  | { readonly kind: 'software-interrupt'; readonly vector: number; readonly stub: NodeId; readonly name: string }
  /** Code behind C code, on the way to user mode, whose pt_regs lie at the top of the task stack: the first of a new task, or in a sketch what is behind a system call. */
  | { readonly kind: 'way-out'; readonly entry: NodeId; readonly name: string; readonly of: 'a new task' | WayOut }
  /** A routine that C code calls. */
  | { readonly kind: 'call'; readonly entry: NodeId; readonly name: string };

/** The vector of a door whose frame the processor pushes, else null. */
export function vectorOf(door: Door): number | null {
  return door.kind === 'event' || door.kind === 'software-interrupt' ? door.vector : null;
}

export interface PathStart {
  readonly id: number;
  readonly door: Door;
  readonly variant: CpuVariant;
  /** Index of the variant among those that are run. */
  readonly cpu: number;
  /** The state that the door interrupts, and the first one of the path. */
  readonly interrupted: State;
  readonly first: State;
  /** `user mode`, `asm_exc_page_fault: pushq %rdi`. */
  readonly from: string;
  readonly user: boolean;
  /** The path on which the interrupted state lies, with the choices to it; null for contexts outside stubs. */
  readonly parent: { readonly start: PathStart; readonly choices: readonly number[]; readonly steps: number } | null;
}

/** What a start may interrupt that is no stub: `dirty` flags are all that user space can set; `ldt` has its SS in an LDT. */
export interface Outside {
  readonly name: string;
  readonly title: string;
  readonly state: State;
  /** Vectors of the events that are raised there; null for all, none where it is there for instructions that enter the kernel with the flags of user mode. */
  readonly events: readonly number[] | null;
}

export function entrySetup(program: Program): MachineSetup {
  const { layout } = program;
  const gates = new Map<number, Gate>();
  for (const handler of program.handlers) {
    const ist = handler.ist.value === null ? null : (stackNamed(layout, handler.ist.value)?.index ?? null);
    gates.set(handler.vector, { vector: handler.vector, stub: handler.stub, ist, dpl: handler.dpl });
  }
  const task = stackNamed(layout, 'task');
  const entry = stackNamed(layout, 'entry');
  const fredStacks = program.fred === null ? [] : [task?.index ?? 0, ...[1, 2, 3].map((level) => stackNamed(layout, `FRED level ${level}`)?.index ?? 0)];
  return {
    code: program.code,
    layout,
    delivery: program.delivery,
    gates,
    fred: program.fred === null ? null : { ...program.fred, stacks: fredStacks },
    guards: [],
    events: [],
    rsp0: entry === null ? 0n : top(entry),
    taskStack: task?.index ?? 0,
    primitives: PRIMITIVE_BY_NAME,
    irqWorkVector: null,
    taskWorkEntry: null,
    userFaults: [],
    visible: null,
    depth: 64,
    failing: new Set(),
    gap: null,
    contexts: program.contexts,
    first: null,
    firstBudget: 0,
  };
}

function memoryOf(program: Program): State['memory'] {
  const memory: (readonly (Word | undefined)[])[] = program.layout.regions.map(() => []);
  const percpu: (Word | undefined)[] = [];
  const set = (offset: number, value: Word): void => {
    while (percpu.length < offset / 8) percpu.push(undefined);
    percpu[offset / 8] = value;
  };
  for (const [name, offset] of program.layout.percpu) set(offset & ~7, opaque(`per-CPU ${name}`));
  for (const { variable, offset, stack } of PER_CPU_STACK_TOPS) {
    const at = program.layout.percpu.get(variable);
    const region = stackNamed(program.layout, stack);
    if (at !== undefined && region !== null) set(at + Number(offset === null ? 0n : (ASM_OFFSETS.get(offset) ?? 0n)), constant(top(region)));
  }
  const named = [...TOP_OF_STACK_NAMES.map((name) => [name, ['task']] as const), ...STACK_TOP_NAMES];
  for (const [name, stacks] of named) {
    const at = program.layout.percpu.get(name);
    const region = stacks.map((one) => stackNamed(program.layout, one)).find((one) => one !== null);
    if (at !== undefined && region !== null && region !== undefined) set(at, constant(top(region)));
  }
  const espfix = stackNamed(program.layout, 'espfix');
  for (const name of ['espfix_waddr', 'espfix_stack']) {
    const at = program.layout.percpu.get(name);
    // Eight slots below the top: the frame and RAX (arch/x86/kernel/espfix_64.c).
    if (at !== undefined && espfix !== null) set(at, constant(top(espfix) - 64n));
  }
  memory[PERCPU_REGION] = percpu;
  const globals: (Word | undefined)[] = [];
  for (const name of PER_CPU_BASES) {
    const address = program.layout.globals.get(name);
    if (address !== undefined) globals[Number(address - regionBase(GLOBAL_REGION)) / 8] = constant(regionBase(PERCPU_REGION));
  }
  putAssumed(program, percpu, globals);
  memory[GLOBAL_REGION] = Array.from(globals);
  return memory;
}

/** What a sketch's own words are taken to hold (`program/assumed-words.ts`). */
export function putAssumed(program: Program, percpu: (Word | undefined)[], globals: (Word | undefined)[]): void {
  const task = stackNamed(program.layout, 'task');
  for (const { region, offset, holds } of program.assumedWords) {
    const words = region === PERCPU_REGION ? percpu : globals;
    while (words.length < offset / 8) words.push(undefined);
    if (holds === 'per-CPU base') words[offset / 8] = constant(regionBase(PERCPU_REGION));
    else if (task !== null) words[offset / 8] = constant(top(task));
  }
}

const features = (variant: CpuVariant): readonly string[] => FIXED_FEATURES.map((name) => (variant.present.includes(name) ? name : `!${name}`)).sort();

/** Words that hold the base of this CPU's area: the first row of the table, and the one of a uniprocessor kernel. */
const PER_CPU_BASES: readonly string[] = ['__per_cpu_offset', 'pcpu_unit_offsets'];

/** Kernel code outside the stubs runs a little below the top of its stack. */
const TASK_DEPTH = 0x200n;

const IBRS = 1n;

function outsideState(program: Program, variant: CpuVariant, side: 'user' | 'kernel', node: NodeId, flags: Word): State {
  const pti = variant.present.includes('X86_FEATURE_PTI');
  const fsgsbase = variant.present.includes('X86_FEATURE_FSGSBASE');
  const kernelGs = constant(regionBase(PERCPU_REGION));
  // Without FSGSBASE the kernel sees to it that a user GS base is not negative (GS-03).
  const userGs = fsgsbase ? opaque('user GS base') : opaque('user GS base', SIGN, 0n);
  const user = side === 'user';
  const registers = REGISTER_NAMES.map((name): Word => opaque(`${side} ${name.toUpperCase()}`));
  const task = stackNamed(program.layout, 'task');
  registers[RSP] = user ? opaque('user RSP', SIGN, 0n) : constant((task === null ? 0n : top(task)) - TASK_DEPTH);
  const kernelCr3 = opaque('kernel CR3', SIGN | USER_CR3 | USER_PCID, 0n);
  return {
    node,
    registers,
    flags,
    cpu: {
      ...INITIAL_CPU,
      cpl: user ? 3 : 0,
      cs: user ? constant(USER_CS) : INITIAL_CPU.cs,
      ss: user ? constant(USER_SS) : INITIAL_CPU.ss,
      gsBase: user ? userGs : kernelGs,
      kernelGsBase: user ? kernelGs : userGs,
      cr2: opaque('CR2'),
      cr3: user && pti ? opaque('user CR3', SIGN | USER_CR3 | USER_PCID, USER_CR3 | USER_PCID) : kernelCr3,
      // Where the kernel sets IBRS on entry it clears it on the way out (arch/x86/entry/calling.h).
      specCtrl: user ? opaque('user SPEC_CTRL', IBRS, 0n) : opaque('kernel SPEC_CTRL'),
    },
    memory: memoryOf(program),
    frames: [],
    pending: [],
    budgets: [],
    features: features(variant),
    ghosts: [],
    ended: null,
  };
}

/** Bits of RSP that choose one of the aliases of the espfix stack: any of them shows what all do (arch/x86/kernel/espfix_64.c). */
const ESPFIX_ALIAS = 0xffff_0000n;

/** Where the frames of a nested NMI would lie. */
const HOSTILE_DEPTH = 0x100n;

const SETTABLE = DF | AC | NT | ID;

/** What runs when no stub does: user mode as compilers leave it and as an adversary may, kernel code with IF 1 and 0. */
export function outsideContexts(program: Program, variant: CpuVariant): readonly Outside[] {
  const at = (name: string): NodeId => program.contexts.get(name) ?? 0;
  const clean = (on: bigint): Word => word(ALL & ~ARITHMETIC, 2n | on, '');
  const user = outsideState(program, variant, 'user', at('user'), clean(IF));
  const dirty = outsideState(program, variant, 'user', at('user'), clean(IF | SETTABLE));
  const kernel = outsideState(program, variant, 'kernel', at('kernel'), clean(IF));
  const closed = outsideState(program, variant, 'kernel', at('kernel-irqs-off'), clean(0n));
  const stac = outsideState(program, variant, 'kernel', at('kernel'), clean(IF | AC));
  const alone = (flag: bigint, name: string): Outside => ({ name: `user-${name}`, title: `user mode with ${name} set`, state: outsideState(program, variant, 'user', at('user'), clean(IF | flag)), events: [] });
  // SYSCALL keeps the RSP that user space chose: a stub may take it for the kernel's (CVE-2015-3291).
  const nmiStack = stackNamed(program.layout, 'NMI');
  const hostile: readonly Outside[] = nmiStack === null ? [] : [
    { name: 'user-rsp', title: 'user mode with RSP in the NMI stack', state: { ...user, registers: user.registers.map((value, index) => (index === RSP ? constant(top(nmiStack) - HOSTILE_DEPTH) : value)) }, events: [] },
  ];
  // Of starts that lead to the same context the first is told: the plain ones.
  return [
    { name: 'user', title: 'user mode', state: user, events: null },
    { name: 'user-ldt', title: 'user mode with a stack segment in its LDT', state: { ...user, registers: user.registers.map((value, index) => (index === RSP ? opaque('user RSP', SIGN | ESPFIX_ALIAS, 0n) : value)), cpu: { ...user.cpu, ss: constant(USER_SS | LDT) } }, events: null },
    { name: 'user-dirty', title: 'user mode with DF, AC and NT set', state: dirty, events: null },
    alone(DF, 'DF'),
    alone(AC, 'AC'),
    alone(NT, 'NT'),
    ...hostile,
    { name: 'kernel', title: 'kernel mode with IF=1', state: kernel, events: null },
    { name: 'kernel-irqs-off', title: 'kernel mode with IF=0', state: closed, events: null },
    { name: 'kernel-stac', title: 'a kernel access to user memory, AC=1', state: stac, events: null },
    ...(program.sketch && program.delivery === 'idt' ? [firstOfStub(program, variant)] : []),
  ];
}

/**
 * The first instruction of a stub that user mode with DF and AC set entered by: of all that a #DF may interrupt it lacks
 * the most. A sketch of the #DF stub alone shows no stub that would be there (DF-04).
 */
function firstOfStub(program: Program, variant: CpuVariant): Outside {
  const entry = stackNamed(program.layout, 'entry');
  const { registers, cpu, ...rest } = outsideState(program, variant, 'user', program.contexts.get('kernel-irqs-off') ?? 0, word(ALL & ~ARITHMETIC, 2n | DF | AC, ''));
  const state: State = { ...rest, registers: registers.map((value, index) => (index === RSP && entry !== null ? constant(top(entry) - FRAME_BYTES) : value)), cpu: { ...cpu, cpl: 0, cs: INITIAL_CPU.cs, ss: INITIAL_CPU.ss } };
  return { name: 'stub', title: 'the first instruction of a stub entered with DF set', state, events: [DOUBLE_FAULT] };
}

/** Five words. */
const FRAME_BYTES = 0x28n;
const DOUBLE_FAULT = 8;

/** Which page table CR3 points at: by the bit that tells them apart. */
export function cr3Of(state: State): 'user' | 'kernel' | 'unknown' {
  const { cr3 } = state.cpu;
  if ((cr3.known & USER_CR3) === 0n) return 'unknown';
  return (cr3.value & USER_CR3) === 0n ? 'kernel' : 'user';
}

const KERNEL_GS = constant(regionBase(PERCPU_REGION));

export function gsOf(base: Word): 'user' | 'kernel' | 'unknown' {
  if (base === KERNEL_GS) return 'kernel';
  return base.name.startsWith('user ') ? 'user' : 'unknown';
}

/** Name of the stack that RSP points into, `user` where user space chose RSP, else `unknown`. */
export function stackNameOf(setup: MachineSetup, rsp: Word | undefined): string {
  if (rsp === undefined) return 'unknown';
  if (isConstant(rsp)) return stackOf(setup.layout, rsp.value)?.name ?? 'unknown';
  return /^user (?!CR3|GS|SPEC)/.test(rsp.name) ? 'user' : 'unknown';
}

/** Table indicator of a selector (SDM vol. 3A, "Segment Selectors"). */
const LDT = 4n;

/** Flags that delivery leaves alone and stubs have to clear: that one is set is what counts (DEL-03). */
const LEFT_ALONE = DF | AC;

/** All flags that make a difference to a context. */
export const CONTEXT_FLAGS = LEFT_ALONE | IF;

/**
 * Equal for two states that no stub could tell apart when they are interrupted, whatever their RIP and whether NMIs are
 * blocked: an NMI only comes where they are not, and no other stub asks.
 */
export function contextKey(state: State, stack: string): string {
  const { cpu, flags } = state;
  const ldt = cpu.cpl === 3 && (cpu.ss.value & LDT) !== 0n;
  const left = (flags.known & flags.value & LEFT_ALONE) !== 0n ? 'set' : (flags.known & LEFT_ALONE) === LEFT_ALONE ? 'clear' : 'unknown';
  return `${cpu.cpl}${gsOf(cpu.gsBase)}${gsOf(cpu.kernelGsBase)}${cr3Of(state)}|${stack}|${left}${(flags.value & IF) === 0n ? '' : 'IF'}${ldt ? 'ldt' : ''}`;
}

// From a program and a scenario to a machine that is ready to run: gates, guards, budgets and start states.
import { ROUTINES } from './entry-routines.ts';
import type { EnvironmentEvent, Gate, GuardSetup, MachineSetup } from '../machine/config.ts';
import { GLOBAL_REGION, PERCPU_REGION, regionBase, stackNamed, top } from '../machine/layout.ts';
import { putAssumed } from './entry-start.ts';
import { processorNamed } from '../machine/processor.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { AC, ARITHMETIC, DF, ID, IF, INITIAL_CPU, USER_CS, USER_SS } from '../machine/state.ts';
import { vectorByName } from '../machine/vectors.ts';
import { ALL, constant, opaque, SIGN, word } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import { IRQ_WORK_VECTOR, PRIMITIVE_BY_NAME, STACK_TOP_NAMES, TOP_OF_STACK_NAMES } from '../kernel/primitives.ts';
import { boundariesOf } from './boundaries.ts';
import type { Program } from '../program/program.ts';
import type { Scenario, StartContext } from '../scenarios/scenario.ts';

export interface Prepared {
  readonly setup: MachineSetup;
  readonly initial: State;
  /** Budgets in force, in words: `NMI at most 1`. */
  readonly bounds: readonly string[];
}

/** Words of the area that hold a guard: 0xFFFFFFFF for #VE (VE-01), 1 for the host's flags (APF-02). */
function busyValue(setBy: GuardSetup['setBy']): bigint {
  return setBy === 'hw' ? 0xffff_ffffn : 1n;
}

/** Under FRED every event enters by one door: what counts is a handler declared for it. */
export function handles(program: Program, event: string): boolean {
  if (event === 'IRQ') return program.delivery === 'fred' || program.handlers.some((handler) => handler.vector >= 32);
  const vector = vectorByName(event);
  return vector !== null && program.handlers.some((handler) => handler.vector === vector.number);
}

/** What a program alone decides of the machine; made once, so that runs of one program have it in common. */
type Hardware = Omit<MachineSetup, 'events' | 'processor' | 'userFaults' | 'visible' | 'depth' | 'failing' | 'gap' | 'first' | 'firstBudget'>;

const hardware = new WeakMap<Program, Hardware>();

function hardwareOf(program: Program): Hardware {
  const known = hardware.get(program);
  if (known !== undefined) return known;
  const { layout } = program;
  const task = stackNamed(layout, 'task');
  const entry = stackNamed(layout, 'entry');
  const gates = new Map<number, Gate>();
  for (const handler of program.handlers) {
    const ist = handler.ist.value === null ? null : (stackNamed(layout, handler.ist.value)?.index ?? null);
    gates.set(handler.vector, { vector: handler.vector, stub: handler.stub, ist, dpl: handler.dpl });
  }
  const guards: GuardSetup[] = program.guards.map((guard) => ({
    name: guard.name,
    vector: guard.vector,
    address: guard.address,
    size: guard.size,
    machineBit: guard.machineBit,
    busy: guard.size >= 4 ? busyValue(guard.setBy) : 1n,
    setBy: guard.setBy,
    fallback: guard.fallback,
    protectsStack: guard.protects.includes('stack'),
    protectsInfo: guard.protects.includes('info'),
    info: guard.info,
  }));
  const fredStacks = program.fred === null ? [] : [task?.index ?? 0, ...['FRED level 1', 'FRED level 2', 'FRED level 3'].map((name) => stackNamed(layout, name)?.index ?? 0)];
  const made: Hardware = {
    code: program.code,
    layout,
    delivery: program.delivery,
    gates,
    fred: program.fred === null ? null : { ...program.fred, stacks: fredStacks },
    guards,
    rsp0: entry === null ? taskTopOf(program) : top(entry),
    taskStack: task?.index ?? 0,
    primitives: PRIMITIVE_BY_NAME,
    routines: ROUTINES,
    irqWorkVector: gates.has(IRQ_WORK_VECTOR) || program.delivery === 'fred' ? IRQ_WORK_VECTOR : null,
    taskWorkEntry: program.taskWorkEntry,
    contexts: program.contexts,
    pinned: pinnedWords(program),
  };
  hardware.set(program, made);
  return made;
}

/** Per-CPU data is pinned, and so is the word that says where it is. */
function pinnedWords(program: Program): ReadonlySet<bigint> {
  const named = ['__per_cpu_offset', 'pcpu_unit_offsets'].flatMap((name) => program.layout.globals.get(name) ?? []);
  const assumed = program.assumedWords.flatMap(({ region, offset }) => (region === GLOBAL_REGION ? [regionBase(GLOBAL_REGION) + BigInt(offset)] : []));
  return new Set([...named, ...assumed]);
}

function taskTopOf(program: Program): bigint {
  const task = stackNamed(program.layout, 'task');
  return task === null ? 0n : top(task);
}

/** What is made of a scenario. */
export interface Preparing {
  /** Every boundary takes every event. */
  readonly reference?: boolean;
  /** Each event of the scenario any number of times: live frames are the one bound. */
  readonly anyNumber?: boolean;
}

export function prepare(program: Program, scenario: Scenario, start: StartContext, { reference = false, anyNumber = false }: Preparing = {}): Prepared {
  const machine = hardwareOf(program);
  const budgets: number[] = [];
  const events: EnvironmentEvent[] = [];
  const bounds: string[] = [];
  const userFaults = new Set<number>();
  let first: number | null = null;
  for (const budget of scenario.budgets) {
    const vector = vectorByName(budget.event);
    if (vector === null || !handles(program, budget.event)) continue;
    const kinds = kindsOf(vector.name, machine.guards);
    const allow = (count: number): number => {
      for (const kind of kinds) events.push({ name: vector.name, vector: vector.number, budget: budgets.length, kind });
      return budgets.push(count) - 1;
    };
    if (scenario.first === budget.event) first = allow(anyNumber ? 1 : budget.count);
    if (anyNumber) allow(Infinity);
    else if (scenario.first !== budget.event) allow(budget.count);
    bounds.push(anyNumber ? vector.mnemonic : `${vector.mnemonic} at most ${budget.count}`);
  }
  if (anyNumber) bounds.splice(0, bounds.length, `any number of ${bounds.join(' and ')}`);
  for (const memory of scenario.memory) for (const name of memory.raises) userFaults.add(vectorByName(name)?.number ?? -1);
  bounds.push(`live frames at most ${scenario.depth}`);
  if (leftOut(program).length > 0) bounds.push(`CPU features taken both ways at most ${MOST_FEATURES}`);
  const setup: MachineSetup = {
    ...machine,
    events,
    processor: processorNamed(scenario.machine.vendor ?? 'intel', scenario.machine.guest ?? 'none'),
    userFaults: [...userFaults],
    visible: reference ? null : boundariesOf(program),
    depth: scenario.depth,
    failing: new Set(start === 'gap' ? ['gap'] : ['user', 'kernel', 'kernel-irqs-off']),
    gap: start === 'gap' ? program.gap : null,
    first,
    firstBudget: first === null ? 0 : (budgets[first] ?? 0),
  };
  return { setup, initial: initialState(program, setup, start, budgets, taskTopOf(program)), bounds };
}

function kindsOf(name: string, guards: readonly GuardSetup[]): readonly EnvironmentEvent['kind'][] {
  switch (name) {
    case 'VE':
      return ['access'];
    case 'PF':
      return guards.some((guard) => guard.setBy === 'host') ? ['host', 'access'] : ['access'];
    default:
      return ['async'];
  }
}

/** Of more features than these the rest is absent: each doubles what there is to explore. */
const MOST_FEATURES = 8;

function leftOut(program: Program): readonly string[] {
  const names = new Set(program.code.nodes.flatMap((node) => (node.kind === 'feature' ? [node.feature] : [])));
  return [...names].slice(MOST_FEATURES).map((name) => `!${name}`).sort();
}

/** Whether the code knows two page tables: without page-table isolation nobody loads CR3 on the way in. */
function switchesCr3(program: Program): boolean {
  return program.code.nodes.some((node) => node.kind === 'instruction' && node.operands.some((operand) => operand.kind === 'system-register' && operand.name === 'cr3'));
}

/** Kernel code outside the review runs a little below the top of its stack. */
const TASK_DEPTH = 0x100n;

function initialState(program: Program, setup: MachineSetup, start: StartContext, budgets: readonly number[], taskTop: bigint): State {
  const user = start === 'user';
  const userSide = user || start === 'gap';
  const whose = userSide ? 'user' : 'task';
  const kernelGs = constant(regionBase(PERCPU_REGION));
  const userGs = opaque('user GS base', SIGN, 0n);
  const registers = REGISTER_NAMES.map((name): Word => opaque(`${whose} ${name.toUpperCase()}`));
  registers[4] = userSide ? opaque('user RSP', SIGN, 0n) : constant(taskTop - TASK_DEPTH);
  const irqsOn = start === 'user' || start === 'kernel';
  // SYSCALL clears IF, DF, AC and the rest of IA32_FMASK (SYS-02).
  const fixed = start === 'gap' ? 2n : irqsOn ? 2n | IF : 2n;
  const open = start === 'gap' ? 0n : ARITHMETIC | (user ? DF | AC | ID : 0n);
  const memory: (readonly (Word | undefined)[])[] = setup.layout.regions.map(() => []);
  const percpu: (Word | undefined)[] = [];
  const set = (name: string, value: Word): void => {
    const offset = setup.layout.percpu.get(name);
    if (offset === undefined) return;
    while (percpu.length < offset / 8) percpu.push(undefined);
    percpu[offset / 8] = value;
  };
  for (const name of TOP_OF_STACK_NAMES) set(name, constant(taskTop));
  for (const [name, stacks] of STACK_TOP_NAMES) {
    const stack = stacks.map((one) => stackNamed(setup.layout, one)).find((one) => one !== null);
    if (stack !== null && stack !== undefined) set(name, constant(top(stack)));
  }
  set('this_cpu_offset', kernelGs);
  const globals: (Word | undefined)[] = [];
  putAssumed(program, percpu, globals);
  memory[PERCPU_REGION] = percpu;
  memory[GLOBAL_REGION] = globals;
  return {
    node: program.contexts.get(start) ?? 0,
    registers,
    flags: word(ALL & ~open, fixed, open === 0n ? '' : `${whose} RFLAGS`),
    cpu: {
      ...INITIAL_CPU,
      cpl: user ? 3 : 0,
      cs: user ? constant(USER_CS) : INITIAL_CPU.cs,
      ss: user ? constant(USER_SS) : INITIAL_CPU.ss,
      gsBase: userSide ? userGs : kernelGs,
      kernelGsBase: userSide ? kernelGs : userGs,
      cr2: opaque('CR2'),
      cr3: opaque(switchesCr3(program) ? (userSide ? 'user CR3' : 'kernel CR3') : "the task's CR3", SIGN, 0n),
      specCtrl: opaque(userSide ? 'user SPEC_CTRL' : 'kernel SPEC_CTRL'),
    },
    memory,
    frames: [],
    pending: [],
    budgets,
    features: leftOut(program),
    ghosts: setup.guards.map(() => ({ owner: null, clearedAt: null, aboveFrame: false })),
    ended: null,
  };
}


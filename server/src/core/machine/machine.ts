// What may happen next: the instruction at RIP, a fault of one of its accesses, or an event that arrives before it.
// Everything runs through the same step and the same delivery.
import type { CodeNode, InstructionNode, MachineOperand } from './code.ts';
import type { EnvironmentEvent, MachineSetup } from './config.ts';
import { deliver, deliverable, setGuard } from './deliver.ts';
import { changeCpu, draftOf, finish, guardBusy, push, setRegister } from './draft.ts';
import type { Draft } from './draft.ts';
import { addressesRead, evaluate, quiet } from './expressions.ts';
import { meaningOf, sizeOf } from './instructions/index.ts';
import { linearAddress } from './instructions/row.ts';
import { addressOfNode, regionIndexOf, top } from './layout.ts';
import { runOperation } from './operations.ts';
import { ARGUMENT_REGISTERS, RSP } from './registers.ts';
import { IF } from './state.ts';
import type { State } from './state.ts';
import type { Effect } from './effects.ts';
import { vectorTitle } from './vectors.ts';
import { constant, isConstant, or, UNKNOWN } from './word.ts';
import type { Word } from './word.ts';

export interface Step {
  /** 'step', or the event that arrives: `NMI`, `#VE at an access`. */
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly state: State;
}

export interface Successors {
  readonly steps: readonly Step[];
  /** Events left out because frames are nested as deep as the bound allows. */
  readonly cutOff: boolean;
}

/** All that may happen at a state, in a fixed order: the instruction's outcomes first, then the events. */
export function successors(setup: MachineSetup, state: State): Successors {
  if (state.ended !== null) return { steps: [], cutOff: false };
  const node = setup.code.nodes[state.node];
  if (node === undefined) return { steps: [], cutOff: false };
  if (setup.gap !== null && state.node === setup.gap.end && state.frames.length === 0) return { steps: [], cutOff: false };
  const steps: Step[] = [];
  let cutOff = false;
  const waitsForFirst = setup.first !== null && state.budgets[setup.first] === setup.firstBudget;
  if (!waitsForFirst) for (const draft of run(setup, state, node)) steps.push(made(setup, 'step', null, draft));
  for (const event of setup.events) {
    if ((state.budgets[event.budget] ?? 0) <= 0) continue;
    if (waitsForFirst && event.budget !== setup.first) continue;
    if (!mayArrive(setup, state, node, event)) continue;
    if (state.frames.length >= setup.depth) cutOff = true;
    else steps.push(raise(setup, state, event));
  }
  if (!waitsForFirst) for (const step of pendingSteps(setup, state, node)) steps.push(step);
  return { steps, cutOff };
}

function made(setup: MachineSetup, label: string, event: number | null, draft: Draft): Step {
  noteQuiescence(setup, draft);
  return { label, event, effects: draft.effects, state: finish(draft) };
}

/** One step of the code at RIP; feature nodes choose, interrupted contexts idle. */
function run(setup: MachineSetup, state: State, node: CodeNode): readonly Draft[] {
  switch (node.kind) {
    case 'instruction':
      return runInstruction(setup, state, node);
    case 'operation': {
      const draft = draftOf(state);
      if (draft.cpu.shadow !== 'none') changeCpu(draft, { shadow: 'none' });
      return runOperation(draft, setup, node);
    }
    case 'feature': {
      const fixed = state.features.find((name) => name === node.feature || name === `!${node.feature}`);
      const arms = fixed === undefined ? [true, false] : [fixed === node.feature];
      return arms.map((present) => {
        const draft = draftOf(state);
        if (fixed === undefined) {
          draft.features = [...state.features, present ? node.feature : `!${node.feature}`].sort();
          draft.effects.push({ kind: 'feature', name: node.feature, present });
        }
        draft.node = present ? node.present : node.absent;
        return draft;
      });
    }
    case 'interrupted': {
      const next = setup.contexts.get('kernel');
      if (node.context !== 'kernel-irqs-off' || next === undefined) return [];
      if (state.frames.length > 0) return [];
      const draft = draftOf(state);
      draft.node = next;
      draft.flags = or(draft.flags, constant(IF));
      return [draft];
    }
  }
}

function runInstruction(setup: MachineSetup, state: State, node: InstructionNode): readonly Draft[] {
  const draft = draftOf(state);
  if (draft.cpu.shadow !== 'none') changeCpu(draft, { shadow: 'none' });
  const meaning = meaningOf(node.mnemonic, node.operands);
  if (meaning === null) {
    draft.effects.push({ kind: 'unknown', what: `${node.mnemonic}: not modelled` });
    for (const operand of node.operands) if (operand.kind === 'register' && operand.register !== 4) setRegister(draft, operand.register, UNKNOWN);
    if (node.next === null) draft.ended = 'left-code';
    else draft.node = node.next;
    return [draft];
  }
  return meaning.row.run({ draft, setup, node, size: sizeOf(node, meaning) });
}

/** What the accesses at a node can be: user memory, or kernel memory that the host may take away. */
export type AccessClass = 'user' | 'kernel';

export function accessClasses(setup: MachineSetup, state: State, node: CodeNode): ReadonlySet<AccessClass> {
  const classes = new Set<AccessClass>();
  const note = (address: Word): void => {
    if (!isConstant(address)) {
      classes.add('user');
      return;
    }
    const region = setup.layout.regions[regionIndexOf(setup.layout, address.value)];
    if (region === undefined) classes.add('user');
    else if (region.kind === 'global') classes.add('kernel');
  };
  if (node.kind === 'instruction') {
    if (!touchesMemory(node)) return classes;
    const draft = draftOf(state);
    for (const operand of node.operands) if (operand.kind === 'memory') note(linearAddress(draft, operand));
  } else if (node.kind === 'operation') noteOperation(setup, state, node.operation, classes, note);
  return classes;
}

function touchesMemory(node: InstructionNode): boolean {
  if (!node.operands.some((operand: MachineOperand) => operand.kind === 'memory')) return false;
  return !/^(lea|nop|verw|prefetch|jmp|call)/.test(node.mnemonic);
}

function noteOperation(setup: MachineSetup, state: State, operation: (CodeNode & { kind: 'operation' })['operation'], classes: Set<AccessClass>, note: (address: Word) => void): void {
  const draft = quiet(draftOf(state));
  const readsOf = (expressions: readonly Parameters<typeof evaluate>[2][]): void => {
    for (const expression of expressions) for (const address of addressesRead(draft, setup, expression)) note(address);
  };
  switch (operation.kind) {
    case 'assign':
      readsOf([operation.value]);
      return;
    case 'store':
      readsOf([operation.address, operation.value]);
      note(evaluate(draft, setup, operation.address));
      return;
    case 'branch':
      readsOf([operation.condition]);
      return;
    case 'call':
      readsOf(operation.arguments);
      return;
    case 'opaque':
      readsOf(operation.arguments);
      classes.add('kernel');
      return;
    case 'primitive':
      readsOf(operation.arguments);
      if (setup.primitives.get(operation.name)?.effect === 'user-access') classes.add('user');
      return;
    case 'return':
      if (operation.value !== null) readsOf([operation.value]);
      return;
    case 'enter':
    case 'result':
      return;
  }
}

const VE = 20;

function mayArrive(setup: MachineSetup, state: State, node: CodeNode, event: EnvironmentEvent): boolean {
  switch (event.kind) {
    case 'async':
      if (event.vector === 2 && (state.cpu.nmiBlocked || state.cpu.shadow === 'movss')) return false;
      return setup.visible === null || setup.visible.has(state.node);
    case 'host':
      return node.kind === 'interrupted' && node.context === 'user';
    case 'access': {
      if (node.kind === 'interrupted') return event.vector === VE && setup.failing.has(node.context);
      if (event.vector === VE && setup.gap !== null && state.frames.length === 0 && state.node >= setup.gap.first && state.node < setup.gap.end) return true;
      const classes = accessClasses(setup, state, node);
      if (classes.has('user') && setup.userFaults.includes(event.vector)) return true;
      return event.vector === VE && classes.has('kernel');
    }
  }
}

/** Delivers an event of the environment, or takes its guard's fallback (semantics.md §22). */
function raise(setup: MachineSetup, state: State, event: EnvironmentEvent): Step {
  const draft = draftOf(state);
  draft.budgets = state.budgets.map((left, index) => (index === event.budget ? left - 1 : left));
  const label = event.kind === 'access' ? `${vectorTitle(event.vector)} at an access` : event.kind === 'host' ? `${vectorTitle(event.vector)} injected by the host` : vectorTitle(event.vector);
  if (event.vector === 18 && draft.cpu.mcip) {
    const guard = setup.guards.findIndex((row) => row.machineBit === 'mcip');
    draft.effects.push({ kind: 'fallback', guard, vector: 18, fallback: 'shutdown' });
    draft.ended = 'fallback-shutdown';
    return made(setup, label, event.vector, draft);
  }
  for (let index = 0; index < setup.guards.length; index += 1) {
    const guard = setup.guards[index];
    if (guard === undefined || guard.vector !== event.vector || guard.machineBit !== null) continue;
    if ((guard.setBy === 'host') !== (event.kind === 'host')) continue;
    if (guardBusy(draft, setup, index) !== false) {
      draft.effects.push({ kind: 'fallback', guard: index, vector: event.vector, fallback: guard.fallback });
      if (guard.fallback === 'shutdown') draft.ended = 'fallback-shutdown';
      if (guard.fallback === 'df') draft.ended = 'double-fault';
      return made(setup, label, event.vector, draft);
    }
    setGuard(draft, setup, index);
  }
  if (event.vector === 18) markMachineBit(setup, draft);
  if (event.vector === 14) changeCpu(draft, { cr2: UNKNOWN });
  if (!deliverable(setup, event.vector)) {
    draft.effects.push({ kind: 'unknown', what: `${vectorTitle(event.vector)} has no handler in view` });
    draft.ended = 'no-handler';
    return made(setup, label, event.vector, draft);
  }
  deliver(draft, setup, event.vector);
  return made(setup, label, event.vector, draft);
}

function markMachineBit(setup: MachineSetup, draft: Draft): void {
  setup.guards.forEach((guard, index) => {
    if (guard.machineBit === 'mcip') setGuard(draft, setup, index);
  });
}

/** Interrupts in the IRR are taken where IF is 1 and nothing blocks them; task work on the way to user mode. */
function pendingSteps(setup: MachineSetup, state: State, node: CodeNode): readonly Step[] {
  const steps: Step[] = [];
  const open = (state.flags.known & IF) === 0n || (state.flags.value & IF) !== 0n;
  state.pending.forEach((pending, index) => {
    if (pending.kind === 'irq' && (!open || state.cpu.shadow !== 'none' || (setup.visible !== null && !setup.visible.has(state.node)))) return;
    if (pending.kind === 'user-return' && (node.kind !== 'interrupted' || node.context !== 'user' || setup.taskWorkEntry === null)) return;
    const draft = draftOf(state);
    draft.pending = state.pending.filter((_, other) => other !== index);
    if (pending.kind === 'irq') {
      if (!deliverable(setup, pending.vector)) return;
      deliver(draft, setup, pending.vector);
      steps.push(made(setup, vectorTitle(pending.vector), pending.vector, draft));
    } else {
      callTaskWork(setup, draft);
      steps.push(made(setup, 'task work', null, draft));
    }
  });
  return steps;
}

/** Task work runs in kernel mode on the task stack before the task is back in user mode. */
function callTaskWork(setup: MachineSetup, draft: Draft): void {
  if (setup.taskWorkEntry === null) return;
  const back = draft.node;
  const task = setup.layout.regions[setup.taskStack];
  setRegister(draft, RSP, constant(task === undefined ? setup.rsp0 : top(task)));
  push(draft, setup, constant(addressOfNode(back, true)));
  for (const index of ARGUMENT_REGISTERS) setRegister(draft, index, UNKNOWN);
  changeCpu(draft, { cpl: 0, gsBase: draft.cpu.kernelGsBase, kernelGsBase: draft.cpu.gsBase });
  draft.node = setup.taskWorkEntry;
}

/** At the end of everything each guard that hardware sets must be armed again. */
function noteQuiescence(setup: MachineSetup, draft: Draft): void {
  if (draft.ended !== null || draft.frames.length > 0 || draft.pending.length > 0) return;
  const node = setup.code.nodes[draft.node];
  if (node?.kind !== 'interrupted') return;
  setup.guards.forEach((_, index) => {
    if (draft.ended !== null || guardBusy(draft, setup, index) !== true) return;
    draft.effects.push({ kind: 'guard-busy-at-quiescence', guard: index });
    draft.ended = 'guard-busy-at-quiescence';
  });
}

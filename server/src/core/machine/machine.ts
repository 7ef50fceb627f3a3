// What may happen next: the instruction at RIP, a fault of it, or an event that arrives before it. Everything runs
// through the same step and the same delivery.
import type { CodeNode, InstructionNode } from './code.ts';
import type { EnvironmentEvent, MachineSetup } from './config.ts';
import { dataBreakpoints, hasDataBreakpoints, NO_BREAKPOINTS, SINGLE_STEP } from './debug.ts';
import { deliver, deliverable } from './deliver.ts';
import { push } from './carry.ts';
import { changeCpu, draftOf, finish, guardBusy, setRegister } from './draft.ts';
import type { Draft } from './draft.ts';
import { interruptsClosed, mayArrive, nmiHeldOff, raise } from './environment.ts';
import { DEBUG, MACHINE_CHECK, NMI } from './event.ts';
import { certainFault, faultedDraft, takeFault } from './faults.ts';
import type { PossibleFault } from './possible-fault.ts';
import { decode } from './instructions/index.ts';
import type { Decoded } from './instructions/index.ts';
import { addressOfNode, top } from './layout.ts';
import { runOperation } from './operations.ts';
import { ARGUMENT_REGISTERS, RSP } from './registers.ts';
import { depthOf, isCalm } from './recording.ts';
import { IF, RF, TF } from './state.ts';
import type { State } from './state.ts';
import type { Effect } from './effects.ts';
import { vectorTitle } from './vectors.ts';
import { and, constant, or, UNKNOWN } from './word.ts';

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
  const node = runnable(setup, state);
  if (node === null) return { steps: [], cutOff: false };
  const waits = waitsForFirst(setup, state.budgets);
  const own = ownSteps(setup, state, node, waits);
  if (setup.events.length === 0 && state.pending.length === 0) return { steps: own, cutOff: false };
  const steps: Step[] = [...own];
  let cutOff = false;
  for (const event of setup.events) {
    if (!mayBeSpent(setup, state.budgets, event, waits) || !eventArrives(setup, state, node, event)) continue;
    if (state.frames.length >= setup.depth) cutOff = true;
    else steps.push(eventStep(setup, state, node, event));
  }
  if (!waits) for (const step of pendingSteps(setup, state, node)) steps.push(step);
  return { steps, cutOff };
}

/** The code at a state, or null where nothing more happens. */
export function runnable(setup: MachineSetup, state: State): CodeNode | null {
  if (state.ended !== null || (setup.gap !== null && state.node === setup.gap.end && depthOf(state) === 0)) return null;
  return setup.code.nodes[state.node] ?? null;
}

/** Whether nothing may happen but the event that must come first. */
export function waitsForFirst(setup: MachineSetup, budgets: readonly number[]): boolean {
  return setup.first !== null && budgets[setup.first] === setup.firstBudget;
}

export function mayBeSpent(setup: MachineSetup, budgets: readonly number[], event: EnvironmentEvent, waits: boolean): boolean {
  return (budgets[event.budget] ?? 0) > 0 && (!waits || event.budget === setup.first);
}

export function spent(budgets: readonly number[], event: EnvironmentEvent): readonly number[] {
  return budgets.map((left, index) => (index === event.budget ? left - 1 : left));
}

/** What is due at this boundary, else what the code at RIP does. */
export function ownSteps(setup: MachineSetup, state: State, node: CodeNode, waits: boolean): readonly Step[] {
  const calm = isCalm(state);
  const due = calm ? null : dueEvent(setup, state);
  if (due !== null) return [takeDue(setup, state, due)];
  return waits ? [] : run(setup, state, node, calm).map((draft) => made(setup, 'step', null, draft));
}

/** Budgets and the bound on nesting apart. PRI-01: only machine checks and SMIs come before what is due. */
export function eventArrives(setup: MachineSetup, state: State, node: CodeNode, event: EnvironmentEvent): boolean {
  if (!mayArrive(setup, state, node, event)) return false;
  return event.vector === MACHINE_CHECK || event.kind === 'smi' || isCalm(state) || dueEvent(setup, state) === null;
}

export function eventStep(setup: MachineSetup, state: State, node: CodeNode, event: EnvironmentEvent): Step {
  const { label, event: vector, draft } = raise(setup, state, node, event);
  draft.budgets = spent(state.budgets, event);
  return made(setup, label, vector, draft);
}

/** The fault `vector` of the instruction at RIP, which `faultsAt` lists with the reason. */
export function raiseFault(setup: MachineSetup, state: State, vector: number, given: { readonly errorCode?: PossibleFault['errorCode']; readonly address?: PossibleFault['address'] } = {}): Step {
  return made(setup, vectorTitle(vector), vector, faultedDraft(setup, state, vector, given));
}

function made(setup: MachineSetup, label: string, event: number | null, draft: Draft): Step {
  noteQuiescence(setup, draft);
  return { label, event, effects: draft.effects, state: finish(draft) };
}

/** What the processor takes at this boundary before anything else: a recorded debug trap, then a latched NMI (PRI-01). */
function dueEvent(setup: MachineSetup, state: State): 'debug' | 'nmi' | null {
  const { cpu } = state;
  if (cpu.pendingDebug !== 0 && cpu.shadow !== 'movss') return 'debug';
  return cpu.nmiLatched && !nmiHeldOff(setup, state) ? 'nmi' : null;
}

function takeDue(setup: MachineSetup, state: State, due: 'debug' | 'nmi'): Step {
  const draft = draftOf(state);
  const vector = due === 'debug' ? DEBUG : NMI;
  changeCpu(draft, due === 'debug' ? { pendingDebug: 0 } : { nmiLatched: false });
  if (deliverable(setup, vector)) deliver(draft, setup, vector, due === 'debug' ? { debug: state.cpu.pendingDebug } : {});
  else {
    draft.effects.push({ kind: 'unknown', what: `${vectorTitle(vector)} has no handler in view` });
    draft.ended = 'no-handler';
  }
  return made(setup, vectorTitle(vector), vector, draft);
}

/** One step of the code at RIP; feature nodes choose, interrupted contexts idle. */
function run(setup: MachineSetup, state: State, node: CodeNode, calm: boolean): readonly Draft[] {
  switch (node.kind) {
    case 'instruction':
      return runInstruction(setup, state, node, calm);
    case 'operation': {
      const draft = draftOf(state);
      if (!calm && draft.cpu.shadow !== 'none') changeCpu(draft, { shadow: 'none' });
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

const STEPPED = TF | RF;

function runInstruction(setup: MachineSetup, state: State, node: InstructionNode, calm: boolean): readonly Draft[] {
  const draft = draftOf(state);
  const known = decode(node);
  const shadow = calm ? 'none' : state.cpu.shadow;
  if (known.row === null) return runOpaque(draft, node);
  const x = { draft, setup, node, size: known.size, shadow };
  const watched = !calm && state.cpu.dr7 !== NO_BREAKPOINTS;
  if (watched || known.check !== null || setup.pageTables !== undefined) {
    const certain = certainFault(x, known);
    if (certain !== null) {
      if (shadow !== 'none') changeCpu(draft, { shadow: 'none' });
      takeFault(draft, setup, node, certain);
      return [draft];
    }
  }
  if (shadow !== 'none') changeCpu(draft, { shadow: 'none' });
  if ((calm || (!watched && (state.flags.value & STEPPED) === 0n)) && known.row.singleStep !== 'by the flag behind') return known.row.run(x);
  // Behind an instruction that completes, RF is 0 again (SDM vol. 3B, "Instruction-Breakpoint Exception Condition").
  draft.flags = and(draft.flags, constant(~RF));
  if (watched && hasDataBreakpoints(state.cpu)) draft.accesses = [];
  const drafts = known.row.run(x);
  for (const one of drafts) recordTraps(one, state, known);
  return drafts;
}

/** DB-02: a trap behind an instruction that began with TF=1, and for the data breakpoints that it hit. */
function recordTraps(draft: Draft, before: State, known: Decoded): void {
  let bits = draft.accesses === null ? 0 : dataBreakpoints(before.cpu, draft.accesses);
  draft.accesses = null;
  const traps = known.row?.singleStep ?? 'by the flag before';
  const flag = traps === 'never' ? 0n : traps === 'by the flag behind' ? draft.flags.value : before.flags.value;
  // SHD-02: single step does not trap behind MOV SS; the next instruction traps anyway.
  if ((flag & TF) !== 0n && draft.cpu.shadow !== 'movss') bits |= SINGLE_STEP;
  if (bits !== 0 && draft.ended === null) changeCpu(draft, { pendingDebug: draft.cpu.pendingDebug | bits });
}

/**
 * No instruction has a name like that: a macro that is not in view, or code that a sketch leaves out (`...`). Both may do
 * anything to the stack.
 */
export function isUnseenMacro({ text }: Pick<InstructionNode, 'text'>): boolean {
  return text === '...' || /^(?:[A-Z_][A-Z0-9_]{2,}|[a-z0-9]+_\w+)\b/.test(text);
}

function runOpaque(draft: Draft, node: InstructionNode): readonly Draft[] {
  if (draft.cpu.shadow !== 'none') changeCpu(draft, { shadow: 'none' });
  draft.effects.push({ kind: 'unknown', what: `${node.mnemonic}: not modelled` });
  if (isUnseenMacro(node)) {
    draft.ended = 'left-code';
    return [draft];
  }
  for (const operand of node.operands) if (operand.kind === 'register' && operand.register !== RSP) setRegister(draft, operand.register, UNKNOWN);
  if (node.next === null) draft.ended = 'left-code';
  else draft.node = node.next;
  return [draft];
}

/** Interrupts in the IRR are taken where IF is 1 and nothing blocks them; task work on the way to user mode. */
export function pendingSteps(setup: MachineSetup, state: State, node: CodeNode): readonly Step[] {
  const steps: Step[] = [];
  if (state.pending.length === 0 || (!isCalm(state) && dueEvent(setup, state) !== null)) return steps;
  const closed = interruptsClosed(state);
  state.pending.forEach((pending, index) => {
    if (pending.kind === 'irq' && (closed || (setup.visible !== null && !setup.visible.has(state.node)))) return;
    if (pending.kind === 'user-return' && (node.kind !== 'interrupted' || node.context !== 'user' || setup.taskWorkEntry === null)) return;
    const draft = draftOf(state);
    draft.pending = state.pending.filter((_, other) => other !== index);
    if (pending.kind === 'irq') {
      if (!deliverable(setup, pending.vector)) return;
      // Whatever its vector: an interrupt pushes no error code and is no fault (DEL-07).
      deliver(draft, setup, pending.vector, { kind: 'external' });
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
  const node = setup.code.nodes[draft.node];
  if (node?.kind !== 'interrupted' || draft.ended !== null || draft.frames.length > 0 || draft.pending.length > 0) return;
  setup.guards.forEach((_, index) => {
    if (draft.ended !== null || guardBusy(draft, setup, index) !== true) return;
    draft.effects.push({ kind: 'guard-busy-at-quiescence', guard: index });
    draft.ended = 'guard-busy-at-quiescence';
  });
}

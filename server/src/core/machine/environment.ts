// What the environment may cause at a state: events at boundaries and at accesses, with the guard or the machine bit that
// turns one into its fallback.
import type { CodeNode, InstructionNode, MachineOperand } from './code.ts';
import type { EnvironmentEvent, MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import { deliver, deliverable, setGuard } from './deliver.ts';
import { changeCpu, draftOf, guardBusy } from './draft.ts';
import type { Draft } from './draft.ts';
import { DEBUG, DOUBLE_FAULT, MACHINE_CHECK, NMI, PAGE_FAULT, VIRTUALIZATION } from './event.ts';
import { addressesRead, evaluate, quiet } from './expressions.ts';
import { linearAddress } from './instructions/row.ts';
import { unblockNmi } from './instructions/returns.ts';
import { regionIndexOf } from './layout.ts';
import { depthOf, interruptFlag } from './recording.ts';
import type { State } from './state.ts';
import { writeVeInformation } from './ve-area.ts';
import { vectorTitle } from './vectors.ts';
import { isConstant, UNKNOWN } from './word.ts';
import type { Word } from './word.ts';

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
    else if (region.kind === 'global' && setup.pinned?.has(address.value) !== true) classes.add('kernel');
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


/** Blocking of interrupts that the flag does not show: by NMI, by MOV SS, by STI where the processor does so, by a TDX module. */
export function nmiHeldOff(setup: MachineSetup, state: State): boolean {
  const { cpu } = state;
  return cpu.nmiBlocked || cpu.veInfoValid || cpu.shadow === 'movss' || (cpu.shadow === 'sti' && processorOf(setup).choices.stiHoldsOffNmi);
}

/** Whether an NMI has any effect at a boundary: it is delivered, or latched. */
export function nmiMayCome(setup: MachineSetup, state: State): boolean {
  return !nmiHeldOff(setup, state) || (state.cpu.nmiBlocked && processorOf(setup).choices.latchesNmi);
}

/** Whether IF certainly holds interrupts off. */
export function interruptsClosed(state: State): boolean {
  return state.cpu.shadow !== 'none' || state.cpu.veInfoValid || interruptFlag(state) === false;
}

export function mayArrive(setup: MachineSetup, state: State, node: CodeNode, event: EnvironmentEvent): boolean {
  switch (event.kind) {
    case 'async':
      return (setup.visible === null || setup.visible.has(state.node)) && (event.vector !== NMI || nmiMayCome(setup, state));
    case 'smi':
      return (setup.visible === null || setup.visible.has(state.node)) && !(state.cpu.shadow === 'sti' && processorOf(setup).choices.stiHoldsOffNmi);
    case 'host':
      return !interruptsClosed(state) && hostMayInject(setup, state, node, event.vector);
    case 'access':
      return accessMayFail(setup, state, node, event.vector);
  }
}

/** APF-03, APF-04: page faults in user mode, or anywhere where the guest said so; interrupts at any boundary. */
function hostMayInject(setup: MachineSetup, state: State, node: CodeNode, vector: number): boolean {
  if (node.kind === 'interrupted' && node.context === 'user') return true;
  return (vector >= 32 || processorOf(setup).asyncPageFaultsAlways) && (setup.visible === null || setup.visible.has(state.node));
}

function accessMayFail(setup: MachineSetup, state: State, node: CodeNode, vector: number): boolean {
  const processor = processorOf(setup);
  if (vector === VIRTUALIZATION && processor.vendor === 'amd') return false;
  if (node.kind === 'interrupted') return vector === VIRTUALIZATION && setup.failing.has(node.context);
  if (vector === VIRTUALIZATION && processor.virtualizationExceptions === 'every access') return true;
  if (vector === VIRTUALIZATION && setup.gap !== null && depthOf(state) === 0 && state.node >= setup.gap.first && state.node < setup.gap.end) return true;
  const classes = accessClasses(setup, state, node);
  if (classes.has('user') && setup.userFaults.includes(vector)) return true;
  return vector === VIRTUALIZATION && classes.has('kernel');
}

export interface Raised {
  readonly label: string;
  readonly event: number | null;
  readonly draft: Draft;
}

/** Delivers an event of the environment, or takes its guard's fallback (semantics.md §22). Who raises it counts it. */
export function raise(setup: MachineSetup, state: State, node: CodeNode, event: EnvironmentEvent): Raised {
  const draft = draftOf(state);
  if (event.kind === 'smi') return systemManagement(setup, draft);
  const title = vectorTitle(event.vector);
  const label = event.kind === 'access' ? `${title} at an access` : event.kind === 'host' ? `${title} injected by the host` : title;
  if (event.vector === NMI && draft.cpu.nmiBlocked) {
    draft.effects.push({ kind: 'nmi-latched', lost: draft.cpu.nmiLatched });
    changeCpu(draft, { nmiLatched: true });
    return { label, event: NMI, draft };
  }
  if (event.vector === MACHINE_CHECK && (draft.cpu.mcip || !processorOf(setup).machineCheckEnabled)) {
    const guard = setup.guards.findIndex((row) => row.machineBit === 'mcip');
    draft.effects.push({ kind: 'fallback', guard, vector: MACHINE_CHECK, fallback: 'shutdown' });
    draft.ended = 'fallback-shutdown';
    return { label, event: event.vector, draft };
  }
  // NMI-04: an access of IRET itself comes when NMIs are unblocked already.
  const byIret = event.kind === 'access' && node.kind === 'instruction' && node.mnemonic.startsWith('iret') && draft.cpu.nmiBlocked && unblocksBeforeReads(setup);
  if (!takeGuards(setup, draft, event, node, byIret)) return { label, event: event.vector, draft };
  if (event.vector === MACHINE_CHECK) markMachineBit(setup, draft);
  if (event.vector === PAGE_FAULT) changeCpu(draft, { cr2: UNKNOWN });
  if (!deliverable(setup, event.vector)) {
    draft.effects.push({ kind: 'unknown', what: `${title} has no handler in view` });
    draft.ended = 'no-handler';
    return { label, event: event.vector, draft };
  }
  if (byIret) unblockNmi(draft);
  deliver(draft, setup, event.vector, event.vector === DEBUG ? { debug: null } : {});
  return { label, event: event.vector, draft };
}

function unblocksBeforeReads(setup: MachineSetup): boolean {
  const processor = processorOf(setup);
  return processor.virtualizationExceptions === 'every access' && processor.choices.faultingIretUnblocksNmi;
}

/** Sets the guards of an event; false where one is busy and its fallback is all that happens. */
function takeGuards(setup: MachineSetup, draft: Draft, event: EnvironmentEvent, node: CodeNode, byIret: boolean): boolean {
  for (let index = 0; index < setup.guards.length; index += 1) {
    const guard = setup.guards[index];
    if (guard === undefined || guard.vector !== event.vector || guard.machineBit === 'mcip') continue;
    if ((guard.setBy === 'host') !== (event.kind === 'host')) continue;
    if (guardBusy(draft, setup, index) !== false) {
      draft.effects.push({ kind: 'fallback', guard: index, vector: event.vector, fallback: guard.fallback });
      if (guard.fallback === 'shutdown') draft.ended = 'fallback-shutdown';
      // TDX-03.
      if (guard.fallback === 'df' && deliverable(setup, DOUBLE_FAULT)) deliver(draft, setup, DOUBLE_FAULT);
      else if (guard.fallback === 'df') draft.ended = 'double-fault';
      return false;
    }
    setGuard(draft, setup, index);
    if (event.vector === VIRTUALIZATION) writeVeInformation(draft, setup, guard, failingAddress(draft, node), byIret);
  }
  return true;
}

/** The linear address of an access, as far as the instruction tells. */
function failingAddress(draft: Draft, node: CodeNode): Word {
  const operand = node.kind === 'instruction' ? node.operands.find((one) => one.kind === 'memory') : undefined;
  return operand?.kind === 'memory' ? linearAddress(draft, operand) : UNKNOWN;
}

/** SMI-01, SMI-02: entry code does not see it, but for what it may do to blocking by NMI. */
function systemManagement(setup: MachineSetup, draft: Draft): Raised {
  draft.effects.push({ kind: 'smi' });
  if (processorOf(setup).choices.smiUnblocksNmi) unblockNmi(draft);
  return { label: 'SMI', event: null, draft };
}

function markMachineBit(setup: MachineSetup, draft: Draft): void {
  setup.guards.forEach((guard, index) => {
    if (guard.machineBit === 'mcip') setGuard(draft, setup, index);
  });
}

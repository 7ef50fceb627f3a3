// What is known of the steps of a program's code, shared by all explorations of it on one machine: scenarios and starts
// differ in what may come when, not in what an instruction or a delivery does.
import { processorOf } from '../machine/config.ts';
import type { EnvironmentEvent, MachineSetup } from '../machine/config.ts';
import { returnsFromEvent } from '../machine/code.ts';
import type { Code, NodeId } from '../machine/code.ts';
import { accessClasses, nmiMayCome } from '../machine/environment.ts';
import { NMI } from '../machine/event.ts';
import { ownSteps } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';
import { createAnswers, createKnownSteps } from './known-steps.ts';
import type { Answers, Known, KnownSteps, Looked } from './known-steps.ts';
import { createParts } from './part-numbers.ts';
import type { PartedState, Parts } from './parts.ts';
import { createStretches } from './stretches.ts';
import type { Stretch } from './stretches.ts';

export interface Knowledge {
  readonly parts: Parts;
  readonly known: KnownSteps;
  /** The set-up that steps are run with: it has no environment, so that no step can depend on one. */
  readonly machine: MachineSetup;
  readonly own: Answers<Looked<readonly Known[]>>;
  readonly event: (event: EnvironmentEvent) => Answers<Looked<readonly Known[]>>;
  /** Stretches in which no event may arrive: up to one of these boundaries that it may come at, or an access that may fail. */
  readonly stretches: (visible: ReadonlySet<NodeId>, events: readonly EnvironmentEvent[]) => (state: PartedState) => Stretch | null;
}

/** Fields of a set-up that say what may come when. */
const ENVIRONMENT = ['events', 'userFaults', 'visible', 'depth', 'failing', 'gap', 'first', 'firstBudget'] as const;

/** Components kept before an exploration starts afresh: what is shared must not grow for ever. */
const MOST_COMPONENTS = 1 << 20;

interface Shared {
  readonly setup: MachineSetup;
  readonly knowledge: Knowledge;
}

const shared = new WeakMap<Code, Shared[]>();
/** Only of the program explored last is anything kept. */
let last: WeakRef<Code> | null = null;

export function knowledgeOf(setup: MachineSetup): Knowledge {
  const before = last?.deref();
  if (before !== undefined && before !== setup.code) shared.delete(before);
  last = new WeakRef(setup.code);
  const known = (shared.get(setup.code) ?? []).filter(({ knowledge }) => knowledge.parts.size() < MOST_COMPONENTS);
  const found = known.find((one) => sameMachine(one.setup, setup));
  if (found !== undefined) return found.knowledge;
  const knowledge = newKnowledge(setup);
  shared.set(setup.code, [...known, { setup, knowledge }]);
  return knowledge;
}

function sameMachine(left: MachineSetup, right: MachineSetup): boolean {
  const fields = new Set([...Object.keys(left), ...Object.keys(right)] as (keyof MachineSetup)[]);
  for (const field of ENVIRONMENT) fields.delete(field);
  return [...fields].every((field) => left[field] === right[field]);
}

function newKnowledge(setup: MachineSetup): Knowledge {
  const parts = createParts(setup.layout.regions.length);
  const events = new Map<string, Answers<Looked<readonly Known[]>>>();
  const stretches = { nmis: new Map<ReadonlySet<NodeId>, StretchFrom>(), any: new Map<ReadonlySet<NodeId>, StretchFrom>() };
  const known = createKnownSteps(parts);
  const machine = withoutEnvironment(setup);
  return {
    parts,
    known,
    machine,
    own: createAnswers(parts, 2),
    event: ({ kind, vector, name }) => {
      const key = `${kind} ${vector} ${name}`;
      const answers = events.get(key) ?? createAnswers(parts, 1);
      events.set(key, answers);
      return answers;
    },
    stretches: (visible, events) => {
      const nmisOnly = events.every((event) => !comesAtBoundaries(machine, event));
      const made = nmisOnly ? stretches.nmis : stretches.any;
      const found = made.get(visible) ?? createStretches(parts, known, (at) => undisturbed(machine, visible, nmisOnly, at));
      made.set(visible, found);
      return found;
    },
  };
}

type StretchFrom = (state: PartedState) => Stretch | null;

/** Whether code may be interrupted by it, other than by an NMI. */
function comesAtBoundaries(machine: MachineSetup, { kind, vector }: EnvironmentEvent): boolean {
  switch (kind) {
    case 'async':
      return vector !== NMI;
    case 'smi':
      return true;
    case 'host':
      return vector >= 32 || processorOf(machine).asyncPageFaultsAlways;
    case 'access':
      return false;
  }
}

/** The state behind the one step from a state at which no event may arrive and in which nothing is to be judged, or null. What a return does is judged in any case. */
function undisturbed(machine: MachineSetup, visible: ReadonlySet<NodeId>, nmisOnly: boolean, at: State): State | null {
  const node = machine.code.nodes[at.node];
  if (node === undefined || node.kind === 'interrupted' || (node.kind === 'instruction' && returnsFromEvent(node)) || processorOf(machine).virtualizationExceptions === 'every access') return null;
  if (visible.has(at.node) && (!nmisOnly || nmiMayCome(machine, at) || at.pending.length > 0)) return null;
  if (accessClasses(machine, at, node).size > 0) return null;
  const steps = ownSteps(machine, at, node, false);
  const only = steps[0];
  return only === undefined || steps.length > 1 || only.event !== null || only.effects.length > 0 || only.state.ended !== null ? null : only.state;
}

function withoutEnvironment(setup: MachineSetup): MachineSetup {
  const machine = { ...setup };
  for (const field of ENVIRONMENT) {
    Object.defineProperty(machine, field, {
      get: () => {
        throw new Error(`a step depends on ${field}, which differs between explorations`);
      },
    });
  }
  return machine;
}

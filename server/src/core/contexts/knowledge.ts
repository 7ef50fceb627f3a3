// What is known of the steps of a program's code, shared by all explorations of it on one machine: scenarios and starts
// differ in what may come when, not in what an instruction or a delivery does.
import type { EnvironmentEvent, MachineSetup } from '../machine/config.ts';
import type { Code } from '../machine/code.ts';
import { createAnswers, createKnownSteps } from './known-steps.ts';
import type { Answers, Known, KnownSteps, Looked } from './known-steps.ts';
import { createParts } from './part-numbers.ts';
import type { Parts } from './parts.ts';

export interface Knowledge {
  readonly parts: Parts;
  readonly known: KnownSteps;
  /** The set-up that steps are run with: it has no environment, so that no step can depend on one. */
  readonly machine: MachineSetup;
  readonly own: Answers<Looked<readonly Known[]>>;
  readonly event: (event: EnvironmentEvent) => Answers<Looked<readonly Known[]>>;
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
  return {
    parts,
    known: createKnownSteps(parts),
    machine: withoutEnvironment(setup),
    own: createAnswers(parts, 2),
    event: ({ kind, vector, name }) => {
      const key = `${kind} ${vector} ${name}`;
      const answers = events.get(key) ?? createAnswers(parts, 1);
      events.set(key, answers);
      return answers;
    },
  };
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

// States made of components, each known by a number: what the component explorers need of a model. They ask for each
// answer once and look it up from then on; they know nothing of what the numbers stand for.

/**
 * One answer looked up. `x` and `y` name registers: those below the number of components hold the state's ids, the others
 * what earlier steps of the rule gave; `NOTHING` reads as 0.
 */
export interface LookUp {
  readonly slot: number;
  readonly x: number;
  readonly y: number;
  readonly out: number;
  /** The rule does not run when the answer is 0. */
  readonly guard: boolean;
}

export interface ComponentRule {
  readonly steps: readonly LookUp[];
  /** Components and the registers that hold their new ids. */
  readonly writes: readonly (readonly [component: number, register: number])[];
  /** It leads nowhere: the first state where it may run is what is wanted. */
  readonly observation: boolean;
}

export interface ComponentModel {
  readonly components: number;
  readonly rules: readonly ComponentRule[];
  /** Ids of the components of each start. */
  readonly roots: () => readonly (readonly number[])[];
  /** The answer to a slot: an id or any number below `LARGEST`. Always the same for the same operands. */
  readonly resolve: (slot: number, x: number, y: number) => number;
  /** How many ids a component has got so far; they are given in order and stay. */
  readonly size: (component: number) => number;
  /** Whether a rule may run as far as this component alone decides. */
  readonly allows: (component: number, id: number, rule: number) => boolean;
}

/** Register that always reads as 0. */
export const NOTHING = 63;
/** Limits of the explorers. */
export const LARGEST = 1 << 26;
export const MOST_COMPONENTS = 16;
export const MOST_RULES = 1024;
export const MOST_SLOTS = 4096;
export const MOST_STEPS = 8192;

export interface ComponentProgress {
  readonly states: number;
  readonly expanded: number;
  readonly transitions: number;
  /** Layers finished: steps from a root to every state of the last one. */
  readonly depth: number;
  readonly done: boolean;
  /** A state was left out because of the bound, or of memory. */
  readonly boundHit: 'states' | 'memory' | null;
}

export interface ComponentExplorer {
  /** Expands about so many states, or does other work for as long. */
  readonly run: (units: number) => ComponentProgress;
  /** The first state found where an observation may run, or -1. */
  readonly firstSeen: (rule: number) => number;
  /** Root and rules of the path by which a state was found. */
  readonly pathTo: (index: number) => { readonly root: number; readonly rules: readonly number[] };
  readonly idsOf: (index: number) => readonly number[];
  /** Bytes held for states, their table and the answers. */
  readonly bytes: () => number;
  /** Answers that the model gave. */
  readonly answers: () => number;
}

/** Complains about a model that the explorers have no room for. */
export function checkLimits(model: ComponentModel): void {
  const steps = model.rules.reduce((sum, rule) => sum + rule.steps.length, 0);
  const registers = Math.max(0, ...model.rules.flatMap((rule) => rule.steps.map(({ out }) => out)));
  const slots = Math.max(0, ...model.rules.flatMap((rule) => rule.steps.map(({ slot }) => slot)));
  if (model.components > MOST_COMPONENTS) throw new Error(`a state has ${model.components} components; ${MOST_COMPONENTS} are the most`);
  if (model.rules.length > MOST_RULES) throw new Error(`the model has ${model.rules.length} rules; ${MOST_RULES} are the most`);
  if (steps > MOST_STEPS || slots >= MOST_SLOTS || registers >= NOTHING) throw new Error(`the rules need ${steps} look-ups, ${slots + 1} slots and ${registers} registers, more than there are`);
}

// What a rule is: its documentation, executed examples, judgement and fix, in one file each.
import type { Place } from '../base/span.ts';
import type { CodeNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Effect } from '../machine/effects.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import type { Blamed } from '../contexts/path-causes.ts';
import type { Annotation } from '../syntax/annotation-types.ts';
import type { Tree } from '../tree/tree.ts';
import type { Fix, Premise, Severity } from './finding.ts';

/** A small unit by file name; `//~ name` or `#~ name` at the end of a line marks where the rule must speak. */
export interface RuleExample {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
}

/** One transition of the machine as a rule sees it. */
export interface Observation {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly scenario: Scenario;
  readonly before: State;
  /** The node at which the step was taken or the event arrived. */
  readonly node: CodeNode;
  /** Vector of the event that arrived, null for a step of the code. */
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly after: State;
}

/** What rules that need no run look at. */
export interface Inspection {
  readonly program: Program;
  /** Text of a file of the unit or a header it follows. */
  readonly text: (file: string) => string | null;
  readonly annotations: readonly Annotation[];
}

export interface Judgement {
  readonly place: Place;
  readonly message: string;
  readonly premises: readonly Premise[];
  /** Where the severity is not the rule's own. */
  readonly severity?: Severity;
  readonly related?: readonly { readonly place: Place; readonly message: string }[];
  /** What a return of an entry path brings back wrong: the reader is told where that, and the way to the return, came from. */
  readonly blamed?: readonly Blamed[];
}

/** What an instruction is to the rules about entry paths: each is asked only about the classes that it names. */
export type PathClass = 'call' | 'return' | 'access' | 'memory' | 'per-CPU' | 'string' | 'push' | 'flags' | 'system';

/** Judges the entry paths: every stub, run from every context it can be entered in. */
export interface PathRule {
  /** Instructions that the rule has to see: calls and jumps, returns from events and routines, all accesses to memory or those
   * by an operand, by the GS base, by string instructions and by pushes alone, changes of IF, reads of system state. */
  readonly at: readonly PathClass[];
  /** What the rule remembers along a path, null where the machine's state says all. */
  readonly monitor: Monitor | null;
  /** Where several rules speak of one step, those of the highest rank are heard: they name the cause. */
  readonly rank?: number;
  /** `value` is the monitor's before the step. */
  readonly judge: (step: PathStep, value: number) => readonly Judgement[];
}

export interface Rule {
  /** The diagnostic's code: `guard-cleared-on-rewinding-stack`. */
  readonly name: string;
  readonly id: string;
  readonly group: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly why: string;
  readonly instead: string;
  /** What the rule must be silent on, one sentence each. */
  readonly falsePositives: readonly string[];
  readonly references: readonly string[];
  readonly bad: readonly RuleExample[];
  readonly good: readonly RuleExample[];
  /** Judges every transition of every run; must be cheap where nothing matters. */
  readonly judge: ((observation: Observation) => readonly Judgement[]) | null;
  readonly path?: PathRule;
  /** Judges the program as it stands, at typing speed. */
  readonly inspect: ((inspection: Inspection) => readonly Judgement[]) | null;
  /** Judges C entry code as it stands: a kernel tree, or the C files of a design, for one configuration. */
  readonly examine?: (tree: Tree) => readonly Judgement[];
  /** About what only 64-bit kernels have: IST stacks, the GS base, SYSCALL. */
  readonly only64?: boolean;
  /** Examined in designs only, where no build of a kernel checks it already or where it would be noise. */
  readonly designsOnly?: boolean;
  /** About what the machine does not have (locks, the scheduler, orders that it does not see): examined in designs that are run too. */
  readonly besideRuns?: boolean;
  /** Its message names the function and not the place: of several places in a file the one with the shortest trace stands for all. */
  readonly saidOnce?: boolean;
  /** Edits that mend a finding; verified by a new review before they are offered. */
  readonly fix: ((place: Place, inspection: Inspection) => Fix | null) | null;
}

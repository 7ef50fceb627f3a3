// A scenario: where the machine starts, which events may arrive how often, and what must be seen, so that it cannot
// pass vacuously. Data only; the user's scenario files and the built-in ones are the same type.
import type { Place } from '../base/span.ts';
import type { fallbackNames, propertyNames } from './event-names.ts';

/** Interrupted contexts in which a run can start. `gap` is CPL 0 between SYSCALL and the RSP switch, on the user's RSP. */
export type StartContext = 'user' | 'kernel' | 'kernel-irqs-off' | 'gap';

/** Events by mnemonic: 'NMI', 'MC', 'DB', 'VE', 'PF', 'IRQ'. */
export type EventName = string;

export interface Budget {
  readonly event: EventName;
  /** How often the environment may cause it in one run. */
  readonly count: number;
}

/** Memory the environment controls: what a user access to it may raise, and how often a retry fails again. */
export interface FailableMemory {
  readonly name: string;
  readonly raises: readonly EventName[];
  readonly resolves: 'never' | 'on-retry';
  readonly mapped: 'user' | 'kernel';
}

/** The meaning of an expectation's text. `at` is `quiescence`, `gap` or the label of a step. */
export type ScenarioProperty =
  | { readonly kind: 'named'; readonly name: (typeof propertyNames)[number] }
  /** `guard(ve.busy)=busy at quiescence` */
  | { readonly kind: 'guard'; readonly guard: string; readonly state: 'armed' | 'busy'; readonly at: string | null }
  /** `event(VE) in NMI at second`: delivered, with a live frame of the second event below it. */
  | { readonly kind: 'event'; readonly event: EventName; readonly during: EventName | null; readonly at: string | null }
  /** `fallback(vmexit) at second`: an event met a busy guard and took the guard's fallback. */
  | { readonly kind: 'fallback'; readonly fallback: (typeof fallbackNames)[number]; readonly at: string | null };

/** What a run must or must not show. Names of properties are those of the rules' vocabulary. */
export type Expectation =
  | { readonly kind: 'never'; readonly what: string; readonly property: ScenarioProperty; readonly rule: string | null }
  | { readonly kind: 'reachable'; readonly what: string; readonly property: ScenarioProperty; readonly because: string | null }
  | { readonly kind: 'at-end'; readonly nmiBlocked: boolean | null; readonly liveFrames: number | null; readonly guards: ReadonlyMap<string, 'armed' | 'busy'> };

/** One step of a handler given without code. */
export type AbstractOp =
  | { readonly kind: 'read-info' }
  | { readonly kind: 'fixup' }
  | { readonly kind: 'clear'; readonly guard: string; readonly at: 'here' | 'landing-pad' | 'extable-handler' }
  | { readonly kind: 'defer'; readonly via: string; readonly clears: string }
  | { readonly kind: 'access'; readonly memory: string }
  | { readonly kind: 'enable-irqs' }
  | { readonly kind: 'disable-irqs' }
  | { readonly kind: 'switch-stack'; readonly to: 'interrupted' | 'task' | 'checked' }
  | { readonly kind: 'work'; readonly text: string }
  | { readonly kind: 'panic' }
  | { readonly kind: 'iret' };

export interface AbstractHandler {
  readonly name: string;
  readonly vector: string;
  readonly ist: string | null;
  readonly ops: readonly { readonly op: AbstractOp; readonly place: Place; readonly text: string }[];
  /** `file#function` where the handler is code instead. */
  readonly from: string | null;
  readonly place: Place;
}

export interface ScenarioGuard {
  readonly name: string;
  readonly set: 'hw' | 'host' | 'module' | 'sw';
  readonly clear: string;
  readonly fallback: 'vmexit' | 'df' | 'shutdown' | 'latched' | 'host-queues' | 'recursion';
  readonly protects: readonly ('stack' | 'info')[];
  readonly vector: string | null;
  /** `ve_page+4`, null where the word has no place of its own. */
  readonly address: string | null;
  readonly initial: 'armed' | 'busy';
}

/** One step of the way that the author has in mind, in order; the environment stays free in between. */
export type ScenarioStep = { readonly label: string | null; readonly note: string | null; readonly place: Place | null } & (
  | { readonly kind: 'event'; readonly event: EventName }
  | { readonly kind: 'access'; readonly memory: string; readonly accessor: string | null; readonly expectEvent: EventName | null }
  | { readonly kind: 'run'; readonly handler: string; readonly until: 'return' | 'clear' | 'defer' }
);

/** The CPU and what it runs in, as far as a scenario fixes it. */
export interface ScenarioMachine {
  readonly vendor: 'intel' | 'amd' | null;
  readonly guest: 'none' | 'vmx' | 'svm' | 'tdx' | 'sev-es' | null;
  /** As in the kernel's feature list: `smap`, `fsgsbase`, `x2apic`. */
  readonly features: readonly string[];
}

/** Machine state at the start beyond what the start context says; null where it follows from that. */
export interface ScenarioInitial {
  readonly interruptFlag: 0 | 1 | null;
  readonly gs: 'user' | 'kernel' | null;
  readonly cr3: 'user' | 'kernel' | null;
  /** Memory or symbol that a register holds, by lower-case register name. */
  readonly registers: ReadonlyMap<string, string>;
}

export type AwaitedVerdict = 'holds' | 'violated';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** One sentence a newcomer understands. */
  readonly why: string;
  readonly delivery: 'idt' | 'fred';
  readonly machine: ScenarioMachine;
  /** Vectors that a unit must handle for the scenario to say anything about it; empty for a file's own handlers. */
  readonly needs: readonly EventName[];
  readonly start: readonly StartContext[];
  /** The first event, before any other may arrive; null where any event may be first. */
  readonly first: EventName | null;
  readonly initial: ScenarioInitial;
  readonly steps: readonly ScenarioStep[];
  readonly budgets: readonly Budget[];
  readonly memory: readonly FailableMemory[];
  readonly guards: readonly ScenarioGuard[];
  readonly handlers: readonly AbstractHandler[];
  readonly expect: readonly Expectation[];
  /** What a test awaits: a scenario of a known bug is violated until that is mended. */
  readonly awaited: AwaitedVerdict;
  /** Handlers, as `ve.*`, at whose steps events may arrive; empty for everywhere. */
  readonly where: readonly string[];
  /** Nesting of live frames at which a run is cut off, and said to be. */
  readonly depth: number;
  readonly maxStates: number;
  /** null for a built-in one. */
  readonly place: Place | null;
}

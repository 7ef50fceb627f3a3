// What rules that examine C entry code share: which functions are entered by which event and from where, and findings at
// steps of their graphs with the calls that lead there.
import type { Place } from '../base/span.ts';
import { vectorByName, vectorByNumber } from '../machine/vectors.ts';
import { originOfName, partsOfOthers, vectorOfName } from '../program/conventional-gates.ts';
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Exit, Watch, Where } from '../tree/watch.ts';
import type { Premise } from './finding.ts';
import type { Judgement, Rule } from './rule.ts';

export interface Entry {
  readonly function: TreeFunction;
  /** `NMI`, `DB`, `PF` ...; null where nothing in view says. */
  readonly vector: string | null;
  readonly origin: 'user' | 'kernel' | 'both';
  readonly delivery: 'idt' | 'fred' | 'syscall';
  /** The defining macro calls the state helpers around the body. */
  readonly wrapped: boolean;
  /** A device or system interrupt: the body runs in hard-interrupt context. */
  readonly interrupt: boolean;
  /** A plain function of a sketch: what a handler must have around its work may be left out of it. */
  readonly plain: boolean;
}

const vectorsByName: ReadonlyMap<string, string> = new Map([
  ['exc_nmi', 'NMI'], ['exc_debug', 'DB'], ['exc_machine_check', 'MC'], ['exc_double_fault', 'DF'], ['exc_page_fault', 'PF'], ['exc_vmm_communication', 'VC'], ['exc_virtualization_exception', 'VE'],
  ['exc_general_protection', 'GP'], ['exc_stack_segment', 'SS'], ['exc_segment_not_present', 'NP'], ['exc_int3', 'BP'], ['exc_invalid_op', 'UD'],
]);

const kept = new WeakMap<Tree, readonly Entry[]>();

/** The functions that stubs and dispatchers enter. */
export function entriesOf(tree: Tree): readonly Entry[] {
  const before = kept.get(tree);
  if (before !== undefined) return before;
  const vectors = new Map(tree.entries.map((one) => [one.function, one.vector.replace(/^X86_TRAP_/, '')] as const));
  const made = tree.functions.flatMap((one) => entryOf(one, vectors));
  kept.set(tree, made);
  return made;
}

const keptWithPlain = new WeakMap<Tree, readonly Entry[]>();

/** The same, with the plain functions of a sketch that an annotation or their name says handle an exception. */
export function entriesWithPlain(tree: Tree): readonly Entry[] {
  if (!tree.design) return entriesOf(tree);
  const before = keptWithPlain.get(tree);
  if (before !== undefined) return before;
  const entries = entriesOf(tree);
  const known = new Set(entries.map((entry) => entry.function));
  const called = partsOfOthers(tree.functions.flatMap((one) => one.graph().steps.flatMap((step) => (step.kind === 'call' ? [[one.name, step.name] as const] : []))));
  const plain = tree.functions.flatMap((one) => (known.has(one) ? [] : plainEntryOf(tree, one, called)));
  for (const { function: one } of plain) known.add(one);
  const made = [...entries, ...plain, ...registered(tree).flatMap((one) => (known.has(one) ? [] : [plainEntry(one, 'NMI')]))];
  keptWithPlain.set(tree, made);
  return made;
}

function plainEntryOf(tree: Tree, one: TreeFunction, called: ReadonlySet<string>): readonly Entry[] {
  const said = tree.declared.get(one.name);
  const head = (tree.active(one.file) ?? '').slice(one.span.start, one.span.end).split('{')[0] ?? '';
  const number = said === undefined && /\bpt_regs\b/.test(head) ? vectorOfName(one.name) : null;
  const vector = said === undefined ? (number === null ? null : (vectorByNumber(number)?.name ?? null)) : (vectorByName(said) ?? vectorByName(said.toUpperCase()) ?? (/^\d+$/.test(said) ? vectorByNumber(Number(said)) : null))?.name ?? null;
  return vector === null || (number !== null && called.has(one.name)) ? [] : [plainEntry(one, vector)];
}

function plainEntry(one: TreeFunction, vector: string): Entry {
  return { function: one, vector, origin: originOfName(one.name) ?? 'both', delivery: 'idt', wrapped: false, interrupt: false, plain: true };
}

/** What a sketch registers with register_nmi_handler(), where the NMI handler that calls it is not in view. */
function registered(tree: Tree): readonly TreeFunction[] {
  if (tree.functions.some(({ name }) => name === 'exc_nmi')) return [];
  return tree.registrations.flatMap((one) => (one.kind === 'nmi' ? (tree.resolve(one.function, one.place.file.slice(tree.root.length)) ?? []) : []));
}

function entryOf(one: TreeFunction, vectors: ReadonlyMap<string, string>): readonly Entry[] {
  const macro = one.definedBy;
  if (macro === null || !/^DEFINE_(?:IDTENTRY|FREDENTRY)/.test(macro)) {
    const system = /^do_(?:syscall_64|int80_\w+|fast_syscall_32|SYSENTER_32)$/.test(one.name);
    // In later releases the halves of #VC are plain functions.
    const half = one.attributes.includes('noinstr') && vectorOfName(one.name) === VC ? originOfName(one.name) : null;
    if (half !== null) return [{ function: one, vector: 'VC', origin: half, delivery: 'idt', wrapped: false, interrupt: false, plain: false }];
    return system ? [{ function: one, vector: null, origin: 'user', delivery: 'syscall', wrapped: false, interrupt: false, plain: false }] : [];
  }
  const bare = one.name.replace(/^(?:noist|user|kernel|fred)_/, '');
  const vector = vectorsByName.get(bare) ?? vectors.get(bare) ?? null;
  const fred = macro.startsWith('DEFINE_FREDENTRY');
  const origin = /_USER$|_NOIST$/.test(macro) ? 'user' : !fred && /_(?:DEBUG|MCE|VC_KERNEL|IST)$/.test(macro) ? 'kernel' : 'both';
  const interrupt = /_(?:SYSVEC|SYSVEC_SIMPLE|IRQ)$/.test(macro);
  const wrapped = interrupt || /^DEFINE_IDTENTRY(?:_ERRORCODE|_SW)?$/.test(macro);
  return [{ function: one, vector, origin, delivery: fred ? 'fred' : 'idt', wrapped, interrupt, plain: false }];
}

const VC = 29;

/** Vectors whose handler for kernel mode may hit any kernel code, the entry code itself included. */
const anywhere = new Set(['NMI', 'DB', 'MC', 'DF', 'VC']);

/** Whether the entry, where it comes from kernel mode, is NMI-like. */
export function isNmiLike(entry: Entry): boolean {
  return entry.vector !== null && anywhere.has(entry.vector) && entry.origin !== 'user';
}

/** What is known at the start of an entry: the interrupted mode. */
export function factsOf(entry: Entry): ReadonlyMap<string, boolean> {
  return entry.origin === 'both' ? new Map() : new Map([['user_mode(regs)', entry.origin === 'user']]);
}

/** Follows an automaton from an entry. */
export function watchEntry<S extends string>(tree: Tree, entry: Entry, first: S, automaton: Watch<S>): readonly Exit<S>[] {
  return watch(tree, entry.function, first, automaton, factsOf(entry));
}

export function title(entry: Entry): string {
  const event = entry.vector === null ? entry.function.name : `#${entry.vector}`;
  return `${event} ${entry.origin === 'both' ? 'from either mode' : `from ${entry.origin} mode`}`;
}

/** Whether a sketch is about something at all: what it never mentions it leaves out. Of a kernel tree nothing is left out. */
export function isAbout(tree: Tree, subject: RegExp): boolean {
  return !tree.design || [...new Set(tree.functions.map((one) => one.file))].some((file) => subject.test(tree.active(file) ?? ''));
}

/** Findings of one rule on one tree, one a place. */
export interface Findings {
  readonly at: (step: Step, where: Where, message: string, more?: Partial<Judgement>) => void;
  /** The first place of a function only, where one cause shows at many. */
  readonly once: (step: Step, where: Where, message: string, more?: Partial<Judgement>) => void;
  readonly place: (place: Place, message: string, more?: Partial<Judgement>) => void;
  readonly all: () => readonly Judgement[];
}

export function findings(tree: Tree): Findings {
  const found = new Map<string, Judgement>();
  const first = new Map<string, Judgement>();
  const place = (at: Place, message: string, more: Partial<Judgement> = {}): void => {
    const key = `${at.file}|${at.span.start}`;
    if (!found.has(key)) found.set(key, { place: at, message, premises: [], ...more });
  };
  return {
    at: (step, where, message, more = {}) => {
      if (!where.function.whole) return;
      place(placeIn(tree, where.function.file, step.span), message, { ...more, premises: [...callPremises(tree, where), ...(more.premises ?? [])] });
    },
    once: (step, where, message, more = {}) => {
      if (!where.function.whole) return;
      const key = `${where.function.file}|${where.function.nameSpan.start}`;
      const before = first.get(key);
      if (before === undefined || step.span.start < before.place.span.start) {
        first.set(key, { place: placeIn(tree, where.function.file, step.span), message, ...more, premises: [...callPremises(tree, where), ...(more.premises ?? [])] });
      }
    },
    place,
    all: () => [...found.values(), ...first.values()],
  };
}

/** The calls that lead to a step, outermost first. */
export function callPremises(tree: Tree, where: Where): readonly Premise[] {
  return where.calls.map(({ function: caller, step }) => ({ fact: `${caller.name}() calls ${step.name}()`, place: placeIn(tree, caller.file, step.span), assumed: false }));
}

export function entryPremise(tree: Tree, entry: Entry): Premise {
  const { function: one } = entry;
  return { fact: `${one.name}() is entered by ${title(entry)}`, place: placeIn(tree, one.file, one.nameSpan), assumed: false };
}

export function known(tree: Tree, fact: string, file: string, step: Step): Premise {
  return { fact, place: placeIn(tree, file, step.span), assumed: false };
}

/** Whether a call is one of the state helpers or a wrapper of one. */
export function isCall(step: Step, names: RegExp): step is Step & { readonly kind: 'call' } {
  return step.kind === 'call' && names.test(step.name);
}

/** A rule that examines C entry code and nothing else. */
export function treeRule(rule: Omit<Rule, 'judge' | 'inspect' | 'fix'>): Rule {
  return { ...rule, judge: null, inspect: null, fix: null };
}

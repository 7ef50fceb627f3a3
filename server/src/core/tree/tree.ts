// The facts about a kernel tree's C entry code that rules judge: functions as control-flow graphs, entry points, gates
// and registrations, for one configuration. Plain values; knows no parser and no rule.
import type { Place, Span } from '../base/span.ts';
import type { Returns32 } from './returns-32.ts';
import type { Walk32 } from './walk-32.ts';

/** What the index may read: a kernel tree, or the folder of a design. Paths are relative to its root, `/`-separated. */
export interface TreeSource {
  readonly read: (path: string) => string | null;
  /** Names of the plain files and folders in a folder; empty where there is none. */
  readonly list: (folder: string) => readonly string[];
}

/** Index into `Graph.steps`. */
export type StepIndex = number;

export type Step = { readonly span: Span; /** As written, blanks and comments normalised. */ readonly text: string } & (
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly string[]; /** Through a pointer: `name` is its last member. */ readonly indirect: boolean; readonly next: StepIndex }
  | { readonly kind: 'store'; readonly target: string; /** `=`, `+=`, `++` ... */ readonly operator: string; readonly value: string; readonly next: StepIndex }
  /** A declaration without initialiser. */
  | { readonly kind: 'pass'; readonly next: StepIndex }
  | { readonly kind: 'asm'; readonly template: string; readonly extable: string | null; readonly next: StepIndex }
  /** One condition without `&&`, `||` and `!`: `text` is the condition itself. */
  | { readonly kind: 'test'; readonly yes: StepIndex; readonly no: StepIndex }
  /** A switch: `value` of each arm is null for `default` and for what no case covers. */
  | { readonly kind: 'switch'; readonly arms: readonly { readonly value: string | null; readonly to: StepIndex }[] }
  /** The loop of a macro: `for_each_online_cpu(cpu)`. */
  | { readonly kind: 'each'; readonly body: StepIndex; readonly behind: StepIndex }
  /** `value` is null for a plain `return` and for the end of the function. */
  | { readonly kind: 'return'; readonly value: string | null }
  /** Nothing behind it runs. */
  | { readonly kind: 'end' }
);

export interface Graph {
  readonly entry: StepIndex;
  readonly steps: readonly Step[];
  /** Texts of tests that occur more than once and whose outcome is worth remembering. */
  readonly repeated: ReadonlySet<string>;
}

export interface TreeFunction {
  readonly name: string;
  readonly file: string;
  readonly nameSpan: Span;
  readonly span: Span;
  /** `DEFINE_IDTENTRY_RAW` and the like, null for a plain function. */
  readonly definedBy: string | null;
  readonly attributes: readonly string[];
  /** The type that it returns where that is one word: `bool`. */
  readonly returns: string;
  readonly parameters: readonly string[];
  /** Made on first use. */
  readonly graph: () => Graph;
  /** Whether the parser lost something in it: then nothing is concluded from what is missing. */
  readonly whole: boolean;
}

/** A row of an IDT table: `INTG`, `SYSG`, `ISTG`, or the `G` that they are made of; `TSKG`, a task gate, has no stub. */
export interface TreeGate {
  readonly macro: string;
  readonly vector: string;
  readonly stub: string;
  /** `IST_INDEX_DB`; null for none. */
  readonly ist: string | null;
  readonly dpl3: boolean;
  /** A trap gate: it leaves IF as it was. */
  readonly trap: boolean;
  readonly table: string;
  readonly place: Place;
}

/** What a macro for rows makes of them: `#define INTG(_vector, _addr) G(_vector, _addr, DEFAULT_STACK, ...)`. */
export interface GateMacro {
  readonly name: string;
  /** Those of `G`. */
  readonly arguments: readonly string[];
  readonly place: Place;
}

/** `DECLARE_IDTENTRY*(vector, function)`. */
export interface TreeEntry {
  readonly macro: string;
  readonly vector: string;
  readonly function: string;
  readonly place: Place;
}

/** A function handed to code that calls it later: `register_nmi_handler(NMI_LOCAL, handler, ...)`, `.notifier_call = handler`. */
export interface Registration {
  readonly kind: 'nmi' | 'notifier' | 'task-work';
  readonly function: string;
  readonly place: Place;
}

/** What rules ask of the entry assembler. */
export interface AssemblerFacts {
  /** Labels by name. */
  readonly labels: ReadonlyMap<string, Place>;
  /** Memory words that paranoid entries touch while DR7 is live, by symbol; `guarded` where an alternative chooses the access. */
  readonly paranoidWords: readonly { readonly symbol: string; readonly place: Place; readonly guarded: string | null }[];
  /** CPU features that alternatives of the paranoid entry test. */
  readonly paranoidFeatures: ReadonlyMap<string, Place>;
}

/** A macro that defines entry functions, with the part of it that is the function which stubs call. */
export interface EntryMacro {
  readonly name: string;
  readonly file: string;
  /** From the head of that function to its closing brace, as written. */
  readonly body: string;
  readonly start: number;
}

/** What `#define` makes of a name, as written. */
export interface MacroText {
  readonly file: string;
  readonly body: string;
  /** Where the definition begins. */
  readonly start: number;
}

export interface Tree {
  /** Path of the root as places are to carry it, with its final `/`. */
  readonly root: string;
  /** Name of the configuration, for findings. */
  readonly configuration: string;
  readonly option: (name: string) => boolean;
  /** A design outside a kernel tree: few files, no build. */
  readonly design: boolean;
  readonly functions: readonly TreeFunction[];
  /** What a call from a file means: the function of that file, or the one in view elsewhere. */
  readonly resolve: (name: string, file: string) => TreeFunction | null;
  /** Functions that code in view hands over to be called through a pointer of that member's name. */
  readonly pointees: (member: string) => readonly TreeFunction[];
  readonly gates: readonly TreeGate[];
  readonly gateMacros: readonly GateMacro[];
  readonly entryMacros: readonly EntryMacro[];
  readonly entries: readonly TreeEntry[];
  /** Functions of a design that an annotation says handle a vector, by name as written there. */
  readonly declared: ReadonlyMap<string, string>;
  readonly registrations: readonly Registration[];
  readonly assembler: AssemblerFacts;
  /** The ways back to user mode of the 32-bit kernel that the tree also builds. */
  readonly returns32: Returns32;
  /** All paths through its entry assembler, a file each. */
  readonly walks32: readonly Walk32[];
  /** The first definition of a macro with arguments in the files in view, or null. */
  readonly defined: (name: string) => MacroText | null;
  /** Source text of a file of the tree, directives and inactive parts blanked. */
  readonly active: (file: string) => string | null;
  readonly coverage: TreeCoverage;
}

export interface TreeCoverage {
  readonly configuration: string;
  readonly files: number;
  readonly functions: number;
  /** Functions in which the parser lost a place, as `file:name`: they are read in part. */
  readonly unreadable: readonly string[];
  /** `known` calls have a row, `unresolved` ones are of functions or through pointers that nothing is known of. */
  readonly calls: { readonly inView: number; readonly known: number; readonly unresolved: number };
  /** Which bound was hit, or null. */
  readonly cap: string | null;
}

/** Entry code proper: nothing traces it, or it is part of what calls it. */
export function isEntryCode({ attributes }: TreeFunction): boolean {
  return attributes.some((word) => word === 'noinstr' || word === '__always_inline');
}

export function placeIn(tree: Tree, file: string, span: Span): Place {
  return { file: tree.root + file, span };
}

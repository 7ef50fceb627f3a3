// The vocabulary of the `xctx:` language, one row a keyword: parser, completion, hover and the user guide read this
// table and nothing else. Says nothing of how an annotation is judged.

/** What an open value names, so that completion can offer the program's own names. */
export type NameSort = 'guard' | 'function' | 'rule' | 'vector';

export interface AnnotationValues {
  /** Allowed words; with `open`, the words worth offering. */
  readonly words: readonly string[];
  /** Other words are allowed as well. */
  readonly open: boolean;
  /** Words that carry a name behind them, such as `call:`. */
  readonly prefixes: readonly string[];
  /** Several, separated by commas. */
  readonly list: boolean;
  readonly names: NameSort | null;
}

export interface AnnotationKey {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
  readonly values: AnnotationValues;
}

export interface AnnotationKeyword {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly syntax: string;
  /** The bare word behind the keyword, where there is one; it is required then. */
  readonly word: { readonly name: string; readonly values: AnnotationValues } | null;
  readonly keys: readonly AnnotationKey[];
  readonly reason: 'required' | 'optional';
  readonly example: string;
}

function oneOf(...words: readonly string[]): AnnotationValues {
  return { words, open: false, prefixes: [], list: false, names: null };
}

function someOf(...words: readonly string[]): AnnotationValues {
  return { words, open: false, prefixes: [], list: true, names: null };
}

function named(names: NameSort | null, ...words: readonly string[]): AnnotationValues {
  return { words, open: true, prefixes: [], list: false, names };
}

function vectors(...words: readonly string[]): AnnotationValues {
  return { words, open: true, prefixes: [], list: true, names: 'vector' };
}

/** The closed sets of words; the types of `annotation-types.ts` are these. */
export const annotationWords = {
  gate: ['int', 'trap'],
  dpl: ['0', '3'],
  origin: ['user', 'kernel', 'any'],
  err: ['yes', 'no'],
  set: ['hw', 'host', 'module', 'sw'],
  clears: ['deferred', 'after-frame-move', 'immediate'],
  fallback: ['vmexit', 'df', 'shutdown', 'latched', 'host-queues', 'recursion'],
  protects: ['stack', 'info'],
  via: ['self-ipi', 'irq-work', 'task-work', 'landing-pad', 'hypercall'],
  mayHit: ['any', 'entry'],
  neverIn: ['entry', 'gap', 'nmi-prologue', 'window'],
  mappedIn: ['user', 'kernel'],
  stack: ['task', 'irq', 'entry', 'ist', 'moved'],
} as const;

export const annotationKeywords: readonly AnnotationKeyword[] = [
  {
    name: 'handler',
    summary: 'This function or stub handles a vector; only needed where no IDT table in view says so, and where its name does not or says it wrong.',
    syntax: 'handler [vector=N|NAME] [gate=int|trap] [dpl=0|3] [ist=none|NAME] [origin=user|kernel|any] [err=yes|no]',
    word: null,
    keys: [
      { name: 'vector', summary: 'Number or mnemonic of the vector.', required: false, values: named('vector') },
      { name: 'gate', summary: 'Interrupt gate (clears IF) or trap gate (leaves it).', required: false, values: oneOf(...annotationWords.gate) },
      { name: 'dpl', summary: 'Highest CPL that may raise it by INT n.', required: false, values: oneOf(...annotationWords.dpl) },
      { name: 'ist', summary: 'IST stack of the gate, or `none`.', required: false, values: named(null, 'none', 'VE', 'NMI', 'MCE', 'DB', 'DF') },
      { name: 'origin', summary: 'Interrupted privilege that this code is written for.', required: false, values: oneOf(...annotationWords.origin) },
      { name: 'err', summary: 'Whether the CPU pushes an error code.', required: false, values: oneOf(...annotationWords.err) },
    ],
    reason: 'optional',
    example: 'xctx: handler vector=VE ist=VE origin=any',
  },
  {
    name: 'guard',
    summary: 'A one-slot word that is set when an event is delivered and must be cleared before the next one can be.',
    syntax: 'guard NAME set=hw|host|module|sw clear=store|wrmsr|tdcall|vmgexit|call:FN [clears=deferred|after-frame-move|immediate] fallback=vmexit|df|shutdown|latched|host-queues|recursion protects=stack[,info]',
    word: { name: 'NAME', values: named('guard') },
    keys: [
      { name: 'set', summary: 'Who sets it.', required: true, values: oneOf(...annotationWords.set) },
      {
        name: 'clear',
        summary: 'The operation that re-arms it.',
        required: true,
        values: { words: ['store', 'wrmsr', 'tdcall', 'vmgexit'], open: false, prefixes: ['call:'], list: false, names: 'function' },
      },
      { name: 'clears', summary: 'When it may be cleared: only by a deferral, once the frame was moved, or at once.', required: false, values: oneOf(...annotationWords.clears) },
      { name: 'fallback', summary: 'What an event does while it is set.', required: true, values: oneOf(...annotationWords.fallback) },
      { name: 'protects', summary: 'What a second event would overwrite: the stack with the live frame, the event information, or both.', required: true, values: someOf(...annotationWords.protects) },
    ],
    reason: 'optional',
    example: 'xctx: guard ve_page.busy set=hw clear=store clears=deferred fallback=vmexit protects=stack,info',
  },
  {
    name: 'clears',
    summary: 'This function is the one that is allowed to re-arm the guard.',
    syntax: 'clears NAME',
    word: { name: 'NAME', values: named('guard') },
    keys: [],
    reason: 'optional',
    example: 'xctx: clears ve_page.busy',
  },
  {
    name: 'defers-to',
    summary: 'The re-arm is left to another function, reached by the given mechanism.',
    syntax: 'defers-to FN via=self-ipi|irq-work|task-work|landing-pad|hypercall',
    word: { name: 'FN', values: named('function') },
    keys: [{ name: 'via', summary: 'How the function comes to run.', required: true, values: oneOf(...annotationWords.via) }],
    reason: 'optional',
    example: 'xctx: defers-to sysvec_ve_rearm via=self-ipi',
  },
  {
    name: 'may-raise',
    summary: 'Vectors that this code may raise beyond what its instructions imply.',
    syntax: 'may-raise V[,V...]|any',
    word: { name: 'V', values: vectors('any') },
    keys: [],
    reason: 'optional',
    example: 'xctx: may-raise VE,PF',
  },
  {
    name: 'may-hit',
    summary: 'Where this vector may arrive: at any kernel instruction, or anywhere including the entry path itself.',
    syntax: 'may-hit any|entry',
    word: { name: 'WHERE', values: oneOf(...annotationWords.mayHit) },
    keys: [],
    reason: 'optional',
    example: 'xctx: may-hit any',
  },
  {
    name: 'never-in',
    summary: 'An assumption: the vectors do not arrive in this window; it is listed with every verdict that uses it.',
    syntax: 'never-in entry|gap|nmi-prologue|window [vectors=V,..] -- reason',
    word: { name: 'WINDOW', values: oneOf(...annotationWords.neverIn) },
    keys: [{ name: 'vectors', summary: 'The vectors meant; without it the vectors of the handler it stands at.', required: false, values: vectors() }],
    reason: 'required',
    example: 'xctx: never-in entry vectors=VE,PF -- the entry text is pinned by the host',
  },
  {
    name: 'mapped-in',
    summary: 'This variable or stack is mapped under the user or the kernel CR3.',
    syntax: 'mapped-in user|kernel',
    word: { name: 'CR3', values: oneOf(...annotationWords.mappedIn) },
    keys: [],
    reason: 'optional',
    example: 'xctx: mapped-in user',
  },
  {
    name: 'stack',
    summary: 'The stack that the code runs on from here.',
    syntax: 'stack task|irq|entry|ist|moved [below-rsp=ok]',
    word: { name: 'STACK', values: oneOf(...annotationWords.stack) },
    keys: [{ name: 'below-rsp', summary: 'Reading below RSP follows a documented protocol here.', required: false, values: oneOf('ok') }],
    reason: 'optional',
    example: 'xctx: stack moved',
  },
  {
    name: 'fallback-ok',
    summary: 'The fallback of the guard is acceptable for the rest of the interrupted context.',
    syntax: 'fallback-ok vmexit|df|shutdown|latched|host-queues|recursion -- reason',
    word: { name: 'FALLBACK', values: oneOf(...annotationWords.fallback) },
    keys: [],
    reason: 'required',
    example: 'xctx: fallback-ok vmexit -- the host keeps the vCPU stopped until the page is there',
  },
  {
    name: 'assume',
    summary: 'Something the tool cannot see and shall take for granted; it is listed with every verdict. `!X86_FEATURE_FSGSBASE` says that no CPU has the feature on: paths are then not run with it.',
    syntax: 'assume SUBJECT [hash=TEXT] -- reason',
    word: { name: 'SUBJECT', values: named('function') },
    keys: [{ name: 'hash', summary: 'Hash of the subject as it was when assumed; a change is reported.', required: false, values: named(null) }],
    reason: 'required',
    example: 'xctx: assume trace_entry -- never touches memory that can fail',
  },
  {
    name: 'why',
    summary: 'Where the need for this IST vector or guard was argued.',
    syntax: 'why URL [-- one sentence]',
    word: { name: 'URL', values: named(null) },
    keys: [],
    reason: 'optional',
    example: 'xctx: why https://example.org/thread -- report failing host memory as a fault',
  },
  {
    name: 'allow',
    summary: 'Findings of this rule are accepted for the next statement or function.',
    syntax: 'allow RULE -- reason',
    word: { name: 'RULE', values: named('rule') },
    keys: [],
    reason: 'required',
    example: 'xctx: allow XR-MC01 -- the remaining window is documented and accepted',
  },
];

export function annotationKeyword(name: string): AnnotationKeyword | null {
  return annotationKeywords.find((keyword) => keyword.name === name) ?? null;
}

/** The page of one keyword as Markdown, for hover and completion. */
export function keywordPage(keyword: AnnotationKeyword): string {
  const keys = keyword.keys.map((key) => `- \`${key.name}\`${key.required ? ' (required)' : ''}: ${key.summary}${valueList(key.values)}`);
  return [`\`${keyword.syntax}\``, keyword.summary, ...(keys.length === 0 ? [] : [keys.join('\n')]), `Example: \`${keyword.example}\``].join('\n\n');
}

export function valueList(values: AnnotationValues): string {
  const words = [...values.words, ...values.prefixes.map((prefix) => `${prefix}NAME`)];
  return words.length === 0 ? '' : ` ${values.open ? 'For example' : 'One of'} ${words.map((word) => `\`${word}\``).join(', ')}.`;
}

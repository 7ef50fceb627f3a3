// The arguments of a launch, read and checked: which trace is wanted, and how the session stops. They come from a file that
// people write, so what is wrong is said by name.

export type Wanted =
  | { readonly kind: 'scenario'; readonly program: string; readonly scenario: string | null; readonly start: string | null }
  | { readonly kind: 'finding'; readonly file: string; readonly line: number | null; readonly rule: string | null; readonly key: string | null }
  /** A trace that is shown, by its choices. */
  | { readonly kind: 'choices'; readonly program: string; readonly scenario: string; readonly start: string; readonly choices: readonly number[]; readonly message: string; readonly rule: string | null };

export interface Launch {
  readonly wanted: Wanted;
  /** Stop at the first step of the code, else at the first breakpoint. */
  readonly stopOnEntry: boolean;
  /** On which side of a step that writes a data breakpoint stops. */
  readonly dataBreakpoints: 'before' | 'after';
  /** The arguments as they were given, for a restart. */
  readonly given: unknown;
}

/** The launch, or one sentence that says what is wrong. */
export function readLaunch(given: unknown): Launch | string {
  const all: Readonly<Record<string, unknown>> = typeof given === 'object' && given !== null ? { ...given } : {};
  const wrong = (name: string, what: string): string => `launch: '${name}' is ${describe(all[name])}; it must be ${what}`;
  for (const name of ['program', 'scenario', 'start', 'file', 'rule', 'key', 'message']) if (!isMissing(all[name]) && typeof all[name] !== 'string') return wrong(name, 'a text');
  if (!isMissing(all['line']) && !(isNumber(all['line']) && all['line'] >= 1)) return wrong('line', 'a line counted from 1');
  if (!isMissing(all['stopOnEntry']) && typeof all['stopOnEntry'] !== 'boolean') return wrong('stopOnEntry', 'true or false');
  const side = all['dataBreakpoints'] ?? 'after';
  if (side !== 'before' && side !== 'after') return wrong('dataBreakpoints', "'before' or 'after'");
  const wanted = wantedOf(all, (name) => textOf(all[name]));
  return typeof wanted === 'string' ? wanted : { wanted, stopOnEntry: all['stopOnEntry'] !== false, dataBreakpoints: side, given };
}

function wantedOf(all: Readonly<Record<string, unknown>>, text: (name: string) => string | null): Wanted | string {
  const program = text('program');
  const file = text('file');
  const choices = all['choices'];
  if (!isMissing(choices)) {
    const scenario = text('scenario');
    const start = text('start');
    if (!Array.isArray(choices) || !choices.every((choice) => isNumber(choice) && choice >= 0)) return "launch: 'choices' must be a list of numbers, as in the replay key of a trace";
    if (program === null || scenario === null || start === null) return "launch: 'choices' need 'program', 'scenario' and 'start' beside them";
    return { kind: 'choices', program, scenario, start, choices: choices.map(Number), message: text('message') ?? `the end of the trace of ${scenario} from ${start}`, rule: text('rule') };
  }
  if (program !== null && file !== null) return "launch: 'program' names a design and 'file' a finding: give one of them";
  if (file !== null) return { kind: 'finding', file, line: isNumber(all['line']) ? all['line'] : null, rule: text('rule'), key: text('key') };
  if (program !== null) return { kind: 'scenario', program, scenario: text('scenario'), start: text('start') };
  return "launch: nothing to replay is named; give 'program' with 'scenario', or 'file' with 'line' of a finding";
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function describe(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

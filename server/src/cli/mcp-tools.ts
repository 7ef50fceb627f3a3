// The tools of the Model Context Protocol server, a row each: what it is for, what it takes, and the command line that
// answers it. Knows no message.
import { nearest } from '../core/base/nearest.ts';

interface Parameter {
  readonly kind: 'text' | 'texts' | 'number';
  readonly description: string;
  readonly required?: true;
  readonly words?: readonly string[];
}

type Values = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** What a call comes to: the arguments of a command, and its standard input. */
export interface Line {
  readonly argv: readonly string[];
  readonly input: string;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: { readonly [name: string]: Parameter };
  /** A sentence where the arguments do not go together. */
  readonly line: (values: Values) => Line | string;
}

const file: Parameter = { kind: 'text', description: 'path of an assembler or C file, from the folder that the server was started in', required: true };
const line: Parameter = { kind: 'number', description: 'line in the file, the first is 1', required: true };
const config: Parameter = { kind: 'text', description: 'a .config file or a built-in configuration (6.12, 6.12:minimal) for kernel files; otherwise that of their tree' };

export const tools: readonly Tool[] = [
  {
    name: 'check',
    title: 'Check entry code',
    description: 'Findings in x86-64 kernel entry code (assembler stubs, C handlers, patches), each with its rule and the shortest trace that shows it. Give paths of files or folders, or text: a sketch, a mail with code, or a patch to files below the current folder, of which only what it brings is told.',
    parameters: {
      paths: { kind: 'texts', description: 'files, folders, mails or patches' },
      text: { kind: 'text', description: 'code, a mail or a patch, in place of paths' },
      severity: { kind: 'text', description: 'lowest severity told; info without it', words: ['error', 'warning', 'info', 'hint'] },
      config,
    },
    line: ({ paths, text, severity, config: configuration }) => {
      if ((paths === undefined) === (text === undefined)) return 'give either paths or text';
      return { argv: ['check', ...option('severity', severity), ...option('config', configuration), '--', ...listed(paths, '-')], input: String(text ?? '') };
    },
  },
  {
    name: 'context',
    title: 'Exception contexts at a line',
    description: 'What can hold when the instruction or statement of a line runs: stack, GS base, CR3, interrupt flag, blocking by NMI, live frames, which events can arrive there and why the others cannot, and the way there.',
    parameters: { file, line, column: { kind: 'number', description: 'column in the line, the first is 1' } },
    line: ({ file: path, line: at, column }) => ({ argv: ['context', '--', `${String(path)}:${String(at)}${column === undefined ? '' : `:${String(column)}`}`], input: '' }),
  },
  {
    name: 'raise',
    title: 'Raise events at an instruction',
    description: 'Raises events (NMI, #MC, #DB, #VE, #PF, IRQ) at one instruction of entry code, from every context that can be there, each inside the handler of the one before it or where that has returned to, and tells what breaks.',
    parameters: { file, line, events: { kind: 'texts', description: 'events in their order, for example ["NMI", "#MC"]', required: true }, config },
    line: ({ file: path, line: at, events, config: configuration }) => ({ argv: ['run', `--at=${String(path)}:${String(at)}`, `--event=${listed(events).join(',')}`, ...option('config', configuration)], input: '' }),
  },
  {
    name: 'run',
    title: 'Run a scenario',
    description: 'Verdicts of a scenario (or of all) on designs: holds, violated with the shortest trace, vacuous or inconclusive, with the bounds. Without a scenario their names are listed.',
    parameters: { scenario: { kind: 'text', description: 'name of a scenario, a scenario file, or all' }, paths: { kind: 'texts', description: 'folders of designs; the current folder without them' } },
    line: ({ scenario, paths }) => (scenario === undefined && paths !== undefined ? 'give a scenario, for example all' : { argv: ['run', ...(scenario === undefined ? [] : ['--', String(scenario), ...listed(paths)])], input: '' }),
  },
  {
    name: 'compare',
    title: 'Compare two designs or kernel trees',
    description: 'Runs the scenarios of two designs (folders) on both, or compares the findings of two kernel trees: what the new one fixes, leaves broken and breaks, and the first step at which a counterexample of the one parts from the other.',
    parameters: { base: { kind: 'text', description: 'folder of the design or tree before', required: true }, new: { kind: 'text', description: 'folder of the design or tree after', required: true } },
    line: ({ base, new: after }) => ({ argv: ['compare', '--', String(base), String(after)], input: '' }),
  },
  {
    name: 'explain',
    title: 'Explain a rule',
    description: 'The page of a rule: the property, where it comes from, a bad and a good example. Without a rule all of them are listed.',
    parameters: { rule: { kind: 'text', description: 'name of a rule, as findings give it in brackets' } },
    line: ({ rule }) => ({ argv: ['explain', ...(rule === undefined ? [] : ['--', String(rule)])], input: '' }),
  },
];

function option(name: string, value: Values[string]): readonly string[] {
  return value === undefined ? [] : [`--${name}=${String(value)}`];
}

function listed(value: Values[string], otherwise?: string): readonly string[] {
  if (value === undefined) return otherwise === undefined ? [] : [otherwise];
  return typeof value === 'object' ? value : [String(value)];
}

/** The schema of what a tool takes, as `tools/list` gives it. */
export function schemaOf({ parameters }: Tool): object {
  const properties = Object.entries(parameters).map(([name, { kind, description, words }]) => [
    name,
    kind === 'texts' ? { type: 'array', items: { type: 'string' }, description } : { type: kind === 'text' ? 'string' : 'integer', description, ...(kind === 'number' ? { minimum: 1 } : {}), ...(words === undefined ? {} : { enum: words }) },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties), required: Object.keys(parameters).filter((name) => parameters[name]?.required), additionalProperties: false };
}

/** The command line of a call, or what is wrong with its arguments. */
export function lineOf(tool: Tool, given: unknown): Line | string {
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) return 'arguments are an object';
  const values = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  for (const [name, value] of values) {
    const parameter = tool.parameters[name];
    if (parameter === undefined) {
      const near = nearest(name, Object.keys(tool.parameters));
      return `no parameter '${name}'${near === null ? '' : `; did you mean '${near}'?`}: ${tool.name} takes ${Object.keys(tool.parameters).join(', ')}`;
    }
    const problem = problemOf(value, parameter);
    if (problem !== null) return `${name} ${problem}`;
  }
  const missing = Object.keys(tool.parameters).find((name) => tool.parameters[name]?.required && !values.some(([one]) => one === name));
  return missing === undefined ? tool.line(Object.fromEntries(values) as Values) : `${missing} is missing: ${tool.parameters[missing]?.description ?? ''}`;
}

function problemOf(value: unknown, { kind, words }: Parameter): string | null {
  switch (kind) {
    case 'text':
      if (typeof value !== 'string' || value === '') return 'is a text';
      return words === undefined || words.includes(value) ? null : `is one of ${words.join(', ')}`;
    case 'texts':
      return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '') ? null : 'is a list of texts';
    case 'number':
      return Number.isSafeInteger(value) && Number(value) > 0 ? null : 'is a whole number above 0';
  }
}

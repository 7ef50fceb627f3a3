// The arguments of a sub-command, checked: a wrong one is a sentence with the mend, never a stack trace.
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { didYouMean } from './nearest.ts';

export interface OptionSpec {
  readonly name: string;
  readonly kind: 'flag' | 'word' | 'number';
  /** The words allowed; null where any is. */
  readonly words: readonly string[] | null;
}

export interface Arguments {
  readonly positionals: readonly string[];
  readonly flag: (name: string) => boolean;
  readonly word: (name: string) => string | null;
  readonly number: (name: string) => number | null;
}

export type Parsed = { readonly kind: 'arguments'; readonly arguments: Arguments } | { readonly kind: 'wrong'; readonly message: string };

const help: OptionSpec = { name: 'help', kind: 'flag', words: null };

export function parseArguments(command: string, argv: readonly string[], specs: readonly OptionSpec[]): Parsed {
  const all = [...specs, help];
  const options: NonNullable<ParseArgsConfig['options']> = Object.fromEntries(
    all.map(({ name, kind }) => [name, { type: kind === 'flag' ? ('boolean' as const) : ('string' as const), ...(name === 'help' ? { short: 'h' } : {}) }]),
  );
  const wrong = (message: string): Parsed => ({ kind: 'wrong', message: `${command}: ${message} (entrycheck ${command} --help lists the options)` });
  let values: { readonly [name: string]: string | boolean | (string | boolean)[] | undefined };
  let positionals: readonly string[];
  try {
    ({ values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true }));
  } catch (error) {
    return wrong(explain(error, argv, all));
  }
  for (const { name, kind, words } of all) {
    const value = values[name];
    if (typeof value !== 'string') continue;
    if (words !== null && !words.includes(value)) return wrong(`--${name} is one of ${words.join(', ')}, not '${value}'${didYouMean(value, words)}`);
    if (kind === 'number' && !/^[1-9]\d{0,11}$/.test(value)) return wrong(`--${name} takes a number above 0, not '${value}'`);
  }
  return {
    kind: 'arguments',
    arguments: {
      positionals,
      flag: (name) => values[name] === true,
      word: (name) => textOf(values[name]),
      number: (name) => {
        const value = textOf(values[name]);
        return value === null ? null : Number(value);
      },
    },
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Node's own sentence is long and speaks of its API; the option and its nearest name say enough. */
function explain(error: unknown, argv: readonly string[], specs: readonly OptionSpec[]): string {
  const names = specs.map(({ name }) => `--${name}`);
  const unknown = argv.find((word) => word.startsWith('-') && word.length > 1 && !names.includes(word.split('=')[0] ?? '') && word !== '-h');
  if (unknown !== undefined) return `unknown option '${unknown}'${didYouMean(unknown.split('=')[0] ?? '', names)}`;
  const sentence = error instanceof Error ? error.message : String(error);
  return sentence.split(/[.\n]/)[0] ?? sentence;
}

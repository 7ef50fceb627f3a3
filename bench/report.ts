// What a section of the bench found, and its forms: text for the terminal, JSON, Markdown for docs/performance.md.

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** First cell is the row's name. */
  readonly rows: readonly (readonly string[])[];
}

/** A promise of issue 6 or of the README, and what was measured. */
export interface Budget {
  readonly promise: string;
  readonly measured: string;
  /** Null where it could not be measured. */
  readonly holds: boolean | null;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What was run, as one could type it. */
  readonly commands: readonly string[];
  readonly tables: readonly Table[];
  readonly budgets: readonly Budget[];
  /** Parts that were not run, and why. */
  readonly notRun: readonly string[];
  /** The figures, for machines. */
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface MachineClass {
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '-';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const time = (value: number): string => `${number(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
export const ratio = (value: number): string => (Number.isFinite(value) ? `${number(value, value < 0.1 ? 3 : value < 10 ? 2 : 0)}x` : '-');

export function budget(promise: string, measured: string, holds: boolean | null): Budget {
  return { promise, measured, holds };
}

/** "at most": the figure is missing where it is not finite. */
export function atMost(promise: string, value: number, limit: number, say: (value: number) => string): Budget {
  return budget(promise, say(value), Number.isFinite(value) ? value <= limit : null);
}

export function atLeast(promise: string, value: number, limit: number, say: (value: number) => string): Budget {
  return budget(promise, say(value), Number.isFinite(value) ? value >= limit : null);
}

const verdict = ({ holds }: Budget): string => (holds === null ? 'not run' : holds ? 'yes' : 'no');

export function text(section: Section): string {
  const tables = section.tables.flatMap(({ title, columns, rows }) => ['', title, ...aligned([columns, ...rows])]);
  const budgets = section.budgets.map((one) => `  ${verdict(one).padEnd(8)} ${one.promise}: ${one.measured}`);
  return [`== ${section.title}`, ...tables, ...(budgets.length > 0 ? ['', ...budgets] : []), ...section.notRun.map((why) => `not run: ${why}`), ''].join('\n');
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd());
}

/** The document with these sections measured anew; what stands before the first section, and other sections, stay as they are. */
export function rewritten(document: string, sections: readonly Section[], machine: MachineClass): string {
  const [preface = '', ...before] = document.split(/^(?=## )/m);
  const fresh = new Map(sections.map((section) => [`## ${section.title}`, markdown(section, machine)]));
  const kept = before.map((one) => {
    const heading = one.split('\n')[0] ?? '';
    const now = fresh.get(heading);
    fresh.delete(heading);
    return now ?? one;
  });
  return `${[`${preface.trimEnd()}\n`, ...kept, ...fresh.values()].map((one) => one.trimEnd()).join('\n\n')}\n`;
}

function markdown(section: Section, { processor, cores, memory, system, versions }: MachineClass): string {
  const [, ...lines] = text(section).trimEnd().split('\n');
  return [
    `## ${section.title}`,
    '',
    `${cores} cores (${processor}), ${memory}, ${system}; ${Object.entries(versions).map(([name, one]) => `${name} ${one}`).join(', ')}.`,
    '',
    '```text',
    lines.join('\n').trim(),
    '```',
    ...(section.commands.length > 0 ? ['', 'Commands:', '', ...section.commands.map((one) => `    ${one}`)] : []),
    '',
  ].join('\n');
}

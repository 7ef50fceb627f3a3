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

export function markdown(sections: readonly Section[], machine: MachineClass): string {
  const table = (columns: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
    `| ${columns.join(' | ')} |`,
    `|${columns.map((_, at) => (at === 0 ? '---' : '---:')).join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --write`. Times are medians of interleaved runs on one machine; ratios travel better than',
    'times. `npm run bench -- --only SECTION` runs one part, `--rounds N` more of it, `--json FILE` keeps the figures.',
    '',
    `Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}.`,
    `Versions: ${Object.entries(machine.versions).map(([name, one]) => `${name} ${one}`).join(', ')}.`,
    '',
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      '',
      ...section.tables.flatMap(({ title, columns, rows }) => [`${title}:`, '', ...table(columns, rows), '']),
      ...(section.budgets.length > 0 ? [...table(['budget', 'measured', 'kept'], section.budgets.map((one) => [one.promise, one.measured, verdict(one)])), ''] : []),
      ...section.notRun.map((why) => `Not run: ${why}.`),
      ...(section.notRun.length > 0 ? [''] : []),
      ...(section.commands.length > 0 ? ['Commands:', '', ...section.commands.map((one) => `    ${one}`), ''] : []),
    ]),
  ].join('\n');
}

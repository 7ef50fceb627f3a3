// Tables that macros build beside the code, read back from the statements they put out: alternatives, exception table,
// instructions written as bytes. Knows the layout of the tables, not the macros that fill them.
import type { Origin, Place } from '../base/span.ts';
import { evaluateWith } from './constants.ts';
import type { Definition, Definitions } from './cpp-macros.ts';
import { decodeData } from './encoded.ts';
import { printExpression } from './expression.ts';
import type { AlternativeRecord, ExtableRecord, Expression, StreamItem } from './stream.ts';

interface Cell {
  readonly size: number;
  readonly value: Expression;
  readonly origin: Origin;
}

export interface Tables {
  readonly items: StreamItem[];
  readonly alternatives: AlternativeRecord[];
  readonly extable: ExtableRecord[];
}

export function readTables(emitted: readonly StreamItem[], definitions: Definitions, report: (place: Place, message: string) => void): Tables {
  const items = decodeData(emitted);
  const alternativeCells = cellsOf(items, /^\.altinstructions/);
  const extableCells = cellsOf(items, /^__ex_table/);
  const labels = new Map<string, number>();
  if (alternativeCells.length > 0) items.forEach((item, i) => item.kind === 'label' && labels.set(item.name, i));
  return {
    items,
    alternatives: readAlternatives(rowsOf(alternativeCells), labels, items.length, namesOf(definitions, /^X86_(?:FEATURE|BUG)_\w+$/, alternativeCells), report),
    extable: readExtable(rowsOf(extableCells), namesOf(definitions, /^EX_TYPE_\w+$/, extableCells)),
  };
}

function cellsOf(items: readonly StreamItem[], section: RegExp): Cell[] {
  const cells: Cell[] = [];
  for (const item of items) {
    if (item.kind !== 'data' || !section.test(item.section)) continue;
    for (const value of item.values) cells.push({ size: item.size, value, origin: item.origin });
  }
  return cells;
}

/** `target - .`, the form of an address in these tables; null for anything else. */
function relativeTarget(cell: Cell | undefined): Expression | null {
  if (cell === undefined || cell.value.kind !== 'binary' || cell.value.operator !== '-') return null;
  return cell.value.right.kind === 'here' ? cell.value.left : null;
}

/** A row begins with two relative addresses. */
function rowsOf(cells: readonly Cell[]): Cell[][] {
  const rows: Cell[][] = [];
  for (let i = 0; i < cells.length; i++) {
    const last = rows.at(-1);
    const begins = relativeTarget(cells[i]) !== null && relativeTarget(cells[i + 1]) !== null;
    if (begins && (last === undefined || last.length >= 2)) rows.push([cells[i]!]);
    else last?.push(cells[i]!);
  }
  return rows.filter((row) => row.length >= 2);
}

const literals = new WeakMap<Definition, bigint | null>();

/** Macro names by value, for values that a table holds in place of the name. */
function namesOf(definitions: Definitions, pattern: RegExp, cells: readonly Cell[]): Map<bigint, string> {
  const names = new Map<bigint, string>();
  if (cells.length === 0) return names;
  for (const definition of definitions.values()) {
    if (definition.parameters !== null || definition.body.length === 0 || !pattern.test(definition.name)) continue;
    let value = literals.get(definition);
    if (value === undefined) {
      value = evaluateWith(definitions, definition.body);
      // What names no other macro has its value for good.
      if (!definition.body.some((token) => token.kind === 'identifier')) literals.set(definition, value);
    }
    if (value !== null && !names.has(value)) names.set(value, definition.name);
  }
  return names;
}

function readAlternatives(
  rows: readonly (readonly Cell[])[], labels: ReadonlyMap<string, number>, count: number, names: ReadonlyMap<bigint, string>, report: (place: Place, message: string) => void,
): AlternativeRecord[] {
  const records: AlternativeRecord[] = [];
  for (const row of rows) {
    const { origin } = row[0]!;
    const original = rangeOf(relativeTarget(row[0]), row.at(-2), labels, count);
    const replacement = rangeOf(relativeTarget(row[1]), row.at(-1), labels, count);
    if (row.length < 5 || original === null || replacement === null) {
      report(origin, 'this row of .altinstructions is not understood');
      continue;
    }
    records.push({ original, replacement, ...featureOf(row.slice(2, -2), names), origin });
  }
  return records;
}

/** From the label to the label that the length `end - start` names. */
function rangeOf(start: Expression | null, length: Cell | undefined, labels: ReadonlyMap<string, number>, count: number): readonly [number, number] | null {
  if (start === null || start.kind !== 'symbol' || length === undefined) return null;
  const from = labels.get(start.name);
  if (from === undefined) return null;
  const { value } = length;
  if (value.kind === 'number') return value.value === 0n ? [from, from] : null;
  if (value.kind !== 'binary' || value.operator !== '-' || value.left.kind !== 'symbol') return null;
  const to = labels.get(value.left.name);
  return to === undefined || to < from || to > count ? null : [from, to];
}

/** A 32-bit word keeps its flags in the upper half, a 16-bit one in the top bit; the lowest flag says "not". */
function featureOf(cells: readonly Cell[], names: ReadonlyMap<bigint, string>): { readonly feature: string; readonly negated: boolean } {
  const first = cells[0]!;
  const text = printExpression(first.value);
  if (first.value.kind !== 'number') {
    const inverted = first.value.kind === 'unary';
    return { feature: first.value.kind === 'unary' ? printExpression(first.value.operand) : text, negated: inverted };
  }
  let { value } = first.value;
  const second = cells[1]?.value;
  if (first.size === 2 && second?.kind === 'number') value |= second.value << 16n;
  const wide = first.size === 4 || cells.length > 1;
  const negated = wide ? ((value >> 16n) & 1n) === 1n : ((value >> 15n) & 1n) === 1n;
  const number = wide ? value & 0xffffn : value & 0x7fffn;
  return { feature: names.get(number) ?? number.toString(), negated };
}

function readExtable(rows: readonly (readonly Cell[])[], names: ReadonlyMap<bigint, string>): ExtableRecord[] {
  return rows.map((row) => {
    const type = row[2];
    const handler = relativeTarget(type);
    let name: string | null = null;
    if (handler !== null) name = printExpression(handler);
    else if (type?.value.kind === 'number') name = names.get(type.value.value & 0xffn) ?? (type.value.value === 0n ? null : type.value.value.toString());
    else if (type !== undefined) name = printExpression(type.value);
    return {
      fault: printExpression(relativeTarget(row[0])!),
      fixup: printExpression(relativeTarget(row[1])!),
      type: name === 'EX_TYPE_DEFAULT' ? null : name,
      origin: row[0]!.origin,
    };
  });
}

// FRED set-up of a unit: its two entry points and the stack levels that it writes to IA32_FRED_STKLVLS.
import type { CExpression, CodeNode, NodeId } from '../machine/code.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import type { CSource } from './c-source.ts';
import type { Names } from './link-assembler.ts';
import type { Handler } from './program.ts';

/** IA32_FRED_STKLVLS: two bits a vector (FR-03). */
const MSR_FRED_STKLVLS = 0x1d0n;

export interface FredSetup {
  readonly user: NodeId;
  readonly kernel: NodeId;
  readonly levels: ReadonlyMap<number, number>;
}

const USER_NAMES = ['asm_fred_entrypoint_user', 'fred_entrypoint_user', 'fred_entry_user'];
const KERNEL_NAMES = ['asm_fred_entrypoint_kernel', 'fred_entrypoint_kernel', 'fred_entry_kernel'];

export function fredOf(sources: readonly CSource[], names: Names): FredSetup | null {
  const { user, kernel } = fredEntriesOf(names);
  if (user === null || kernel === null) return null;
  return { user, kernel, levels: levelsOf(sources) };
}

/** The entry points in view. */
function fredEntriesOf(names: Names): { readonly user: NodeId | null; readonly kernel: NodeId | null } {
  const find = (candidates: readonly string[]): NodeId | null => candidates.map(names.label).find((node) => node !== null) ?? null;
  return { user: find(USER_NAMES), kernel: find(KERNEL_NAMES) };
}

export interface SketchedFred {
  readonly setup: FredSetup;
  /** What stands for the entry point that is not in view. */
  readonly nodes: readonly CodeNode[];
  /** Events that nothing in view handles and that every kernel has. */
  readonly handlers: readonly Handler[];
}

/** FRED's entry points in a sketch, which may show one of the two and need not show what they call; null where it shows none. */
export function sketchedFred(sources: readonly CSource[], names: Names, next: NodeId): SketchedFred | null {
  const { user, kernel } = fredEntriesOf(names);
  const shown = user ?? kernel;
  if (shown === null) return null;
  const nodes = user !== null && kernel !== null ? [] : [notInView(next)];
  const stubName = [...USER_NAMES, ...KERNEL_NAMES].find((name) => names.label(name) === shown) ?? '';
  const handlers = FRED_EVENTS.map((vector): Handler => ({ vector, name: vectorByNumber(vector)?.name ?? '', stub: shown, stubName, synthesized: false, byName: true, function: null, ist: { value: null, place: null, from: 'assumption' }, dpl: 0, place: null }));
  return { setup: { user: user ?? next, kernel: kernel ?? next, levels: levelsOf(sources) }, nodes, handlers };
}

/** NMI, #GP and #PF, with an error code and without, and an interrupt. */
const FRED_EVENTS = [2, 13, 14, 0x20];

/** Paths that come there end. */
function notInView(id: NodeId): CodeNode {
  return { kind: 'instruction', id, symbol: 'the other entry point of FRED', text: 'hlt', origin: { file: '', span: { start: 0, end: 0 }, uses: [] }, mnemonic: 'hlt', prefixes: [], operands: [], next: null, target: null, targetName: null };
}

function levelsOf(sources: readonly CSource[]): ReadonlyMap<number, number> {
  const levels = new Map<number, number>();
  for (const source of sources) {
    for (const one of source.functions) {
      for (const { operation } of one.operations) {
        if (operation.kind !== 'call' || !/wrmsr/.test(operation.name)) continue;
        const [number, value] = operation.arguments;
        if (number === undefined || value === undefined || constantOf(number) !== MSR_FRED_STKLVLS) continue;
        const bits = constantOf(value);
        if (bits === null) continue;
        for (let vector = 0; vector < 32; vector += 1) {
          const level = Number((bits >> BigInt(vector * 2)) & 3n);
          if (level > 0) levels.set(vector, level);
        }
      }
    }
  }
  return levels;
}

function constantOf(expression: CExpression): bigint | null {
  switch (expression.kind) {
    case 'constant':
      return BigInt.asUintN(64, expression.value);
    case 'binary': {
      const left = constantOf(expression.left);
      const right = constantOf(expression.right);
      if (left === null || right === null) return null;
      if (expression.operator === '<<') return BigInt.asUintN(64, left << right);
      if (expression.operator === '|') return left | right;
      if (expression.operator === '+') return left + right;
      if (expression.operator === '*') return left * right;
      return null;
    }
    default:
      return null;
  }
}

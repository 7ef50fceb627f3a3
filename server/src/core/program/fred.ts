// FRED set-up of a unit: its two entry points and the stack levels that it writes to IA32_FRED_STKLVLS.
import type { NodeId } from '../machine/code.ts';
import type { CExpression } from '../machine/code.ts';
import type { CSource } from './c-source.ts';
import type { Names } from './link-assembler.ts';

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
  const find = (candidates: readonly string[]): NodeId | null => candidates.map(names.label).find((node) => node !== null) ?? null;
  const user = find(USER_NAMES);
  const kernel = find(KERNEL_NAMES);
  if (user === null || kernel === null) return null;
  return { user, kernel, levels: levelsOf(sources) };
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

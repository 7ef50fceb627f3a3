// Accesses to one word that the kernel writes as calls of macros, one row each: where the word is named, what is
// written to it, and what the call gives back. Each is one operation, as it is one instruction on the machine.
import type { CExpression } from '../machine/code.ts';
import { binary, constant, unary } from './c-lower-values.ts';

export interface WordAccess {
  /** Which argument names the word, and whether it is the word itself or a pointer to it. */
  readonly word: number;
  readonly by: 'name' | 'pointer';
  /** The other arguments that `update` uses, in its order. */
  readonly operands: readonly number[];
  /** The new value; null for a mere read. */
  readonly update: ((old: CExpression, operands: readonly CExpression[]) => CExpression) | null;
  readonly result: 'none' | 'read' | 'old' | 'new' | 'test';
}

type Update = NonNullable<WordAccess['update']>;

const one = constant(1n);
const operand = (operands: readonly CExpression[], index: number): CExpression => operands[index] ?? constant(0n);
const replaced: Update = (_old, operands) => operand(operands, 0);
const arithmetic = (operator: string): Update => (old, operands) => binary(operator, old, operand(operands, 0));
const step = (operator: string): Update => (old) => binary(operator, old, one);
const cleared: Update = (old, operands) => binary('&', old, unary('~', operand(operands, 0)));
const bit = (operands: readonly CExpression[]): CExpression => binary('<<', one, operand(operands, 0));
const bitSet: Update = (old, operands) => binary('|', old, bit(operands));
const bitCleared: Update = (old, operands) => binary('&', old, unary('~', bit(operands)));

/** The new value where the old one is as expected, else the old one: without a branch, so that it is one step. */
const exchangedIfEqual: Update = (old, operands) => {
  const equal = binary('==', old, operand(operands, 0));
  return binary('^', old, binary('&', binary('^', old, operand(operands, 1)), unary('-', equal)));
};

const rows = new Map<string, WordAccess>();

function row(names: readonly string[], access: WordAccess): void {
  for (const name of names) rows.set(name, access);
}

row(['READ_ONCE', '__READ_ONCE', 'READ_ONCE_NOCHECK', 'rcu_dereference', 'rcu_dereference_raw', 'rcu_access_pointer'], { word: 0, by: 'name', operands: [], update: null, result: 'read' });
row(['smp_load_acquire', 'atomic_read', 'atomic64_read', 'atomic_long_read', 'raw_atomic_read', 'arch_atomic_read', 'atomic_read_acquire'], { word: 0, by: 'pointer', operands: [], update: null, result: 'read' });
row(['WRITE_ONCE', '__WRITE_ONCE', 'rcu_assign_pointer', 'RCU_INIT_POINTER', 'smp_store_mb'], { word: 0, by: 'name', operands: [1], update: replaced, result: 'none' });
row(['smp_store_release', 'atomic_set', 'atomic64_set', 'atomic_long_set', 'raw_atomic_set', 'arch_atomic_set', 'atomic_set_release'], { word: 0, by: 'pointer', operands: [1], update: replaced, result: 'none' });
row(['xchg', 'arch_xchg', 'xchg_relaxed', 'atomic_xchg'], { word: 0, by: 'pointer', operands: [1], update: replaced, result: 'old' });
row(['cmpxchg', 'arch_cmpxchg', 'cmpxchg_local', 'cmpxchg64', 'cmpxchg_relaxed', 'atomic_cmpxchg'], { word: 0, by: 'pointer', operands: [1, 2], update: exchangedIfEqual, result: 'old' });
row(['set_bit', '__set_bit', 'arch_set_bit', 'arch___set_bit'], { word: 1, by: 'pointer', operands: [0], update: bitSet, result: 'none' });
row(['clear_bit', '__clear_bit', 'arch_clear_bit', 'arch___clear_bit', 'clear_bit_unlock'], { word: 1, by: 'pointer', operands: [0], update: bitCleared, result: 'none' });
row(['test_and_set_bit', '__test_and_set_bit', 'arch_test_and_set_bit', 'test_and_set_bit_lock'], { word: 1, by: 'pointer', operands: [0], update: bitSet, result: 'test' });
row(['test_and_clear_bit', '__test_and_clear_bit', 'arch_test_and_clear_bit'], { word: 1, by: 'pointer', operands: [0], update: bitCleared, result: 'test' });
for (const prefix of ['atomic', 'atomic64', 'atomic_long', 'raw_atomic', 'arch_atomic', 'local']) {
  row([`${prefix}_inc`], { word: 0, by: 'pointer', operands: [], update: step('+'), result: 'none' });
  row([`${prefix}_dec`], { word: 0, by: 'pointer', operands: [], update: step('-'), result: 'none' });
  row([`${prefix}_inc_return`], { word: 0, by: 'pointer', operands: [], update: step('+'), result: 'new' });
  row([`${prefix}_dec_return`], { word: 0, by: 'pointer', operands: [], update: step('-'), result: 'new' });
  for (const [name, operator] of [['add', '+'], ['sub', '-'], ['or', '|'], ['and', '&'], ['xor', '^']] as const) {
    row([`${prefix}_${name}`], { word: 1, by: 'pointer', operands: [0], update: arithmetic(operator), result: 'none' });
    row([`${prefix}_${name}_return`], { word: 1, by: 'pointer', operands: [0], update: arithmetic(operator), result: 'new' });
    row([`${prefix}_fetch_${name}`], { word: 1, by: 'pointer', operands: [0], update: arithmetic(operator), result: 'old' });
  }
  row([`${prefix}_andnot`], { word: 1, by: 'pointer', operands: [0], update: cleared, result: 'none' });
}
for (const prefix of ['this_cpu', '__this_cpu', 'raw_cpu']) {
  row([`${prefix}_read`, `${prefix}_read_stable`, `${prefix}_read_const`], { word: 0, by: 'name', operands: [], update: null, result: 'read' });
  row([`${prefix}_write`], { word: 0, by: 'name', operands: [1], update: replaced, result: 'none' });
  row([`${prefix}_xchg`], { word: 0, by: 'name', operands: [1], update: replaced, result: 'old' });
  row([`${prefix}_cmpxchg`], { word: 0, by: 'name', operands: [1, 2], update: exchangedIfEqual, result: 'old' });
  row([`${prefix}_inc`], { word: 0, by: 'name', operands: [], update: step('+'), result: 'none' });
  row([`${prefix}_dec`], { word: 0, by: 'name', operands: [], update: step('-'), result: 'none' });
  row([`${prefix}_inc_return`], { word: 0, by: 'name', operands: [], update: step('+'), result: 'new' });
  row([`${prefix}_dec_return`], { word: 0, by: 'name', operands: [], update: step('-'), result: 'new' });
  for (const [name, operator] of [['add', '+'], ['sub', '-'], ['or', '|'], ['and', '&']] as const) {
    row([`${prefix}_${name}`], { word: 0, by: 'name', operands: [1], update: arithmetic(operator), result: 'none' });
    row([`${prefix}_${name}_return`], { word: 0, by: 'name', operands: [1], update: arithmetic(operator), result: 'new' });
  }
}

/** `this_cpu_write_4` and the like, which fix the size, read as the form without it. */
export function wordAccessNamed(name: string): WordAccess | null {
  return rows.get(name) ?? rows.get(name.replace(/(_cpu_[a-z_]+)_[1248]$/, '$1')) ?? null;
}

/** Gives the word that the call names: `this_cpu_ptr(&x)`. The per-CPU area is that of the one CPU of the model. */
export const perCpuPointers: ReadonlySet<string> = new Set(['this_cpu_ptr', 'raw_cpu_ptr', '__this_cpu_ptr', 'per_cpu_ptr', 'get_cpu_ptr', 'SHIFT_PERCPU_PTR', 'arch_raw_cpu_ptr']);
export const perCpuNames: ReadonlySet<string> = new Set(['per_cpu', '__get_cpu_var', 'get_cpu_var']);

/** The value of the first argument; what else the macro does concerns the compiler only. */
export const transparentCalls: ReadonlySet<string> = new Set([
  'likely', 'unlikely', '__builtin_expect', 'unrcu_pointer', 'rcu_dereference_protected', 'lockless_dereference', 'data_race', 'barrier_nospec_value', '__force_value',
]);

/** Macros that assign to one of their arguments: name and position. */
export const assigningCalls: ReadonlyMap<string, number> = new Map([
  ['local_irq_save', 0], ['raw_local_irq_save', 0], ['local_save_flags', 0], ['raw_local_save_flags', 0], ['safe_halt_save', 0],
  ['spin_lock_irqsave', 1], ['raw_spin_lock_irqsave', 1], ['read_lock_irqsave', 1], ['write_lock_irqsave', 1],
  ['rdmsrl', 1], ['rdpmcl', 1], ['savesegment', 1], ['get_debugreg', 0], ['rdmsrq', 1],
]);

/** Calls `BUG` where the condition holds. */
export const bugAssertions: ReadonlySet<string> = new Set(['BUG_ON', 'VM_BUG_ON', 'VM_BUG_ON_PAGE', 'VM_BUG_ON_VMA', 'VM_BUG_ON_MM']);

/** Calls `__WARN` where the condition holds, and has the condition's value. */
export const warnAssertions: ReadonlySet<string> = new Set([
  'WARN_ON', 'WARN_ON_ONCE', 'WARN', 'WARN_ONCE', 'WARN_TAINT', 'WARN_RATELIMIT', 'VM_WARN_ON', 'VM_WARN_ON_ONCE', 'VM_WARN_ONCE',
  'CT_WARN_ON', 'RCU_LOCKDEP_WARN', 'DEBUG_LOCKS_WARN_ON', 'SCHED_WARN_ON',
]);

/** Checked by the compiler: no code. */
export const compileTimeCalls = /^(?:BUILD_BUG_ON\w*|static_assert|_Static_assert|compiletime_assert\w*|__compiletime_\w+|typecheck|kasan_check_\w+|might_fault_check|uninitialized_var|__seg_\w+|kmsan_unpoison_\w+|barrier_data|OPTIMIZER_HIDE_VAR|lockdep_assert_\w+|lockdep_assert)$/;

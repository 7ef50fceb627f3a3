// Routines that stand for one instruction: return thunks and indirect-branch thunks (arch/x86/lib/retpoline.S).

export type Thunk = { readonly kind: 'return' } | { readonly kind: 'indirect'; readonly register: string };

const RETURN_THUNKS: ReadonlySet<string> = new Set(['__x86_return_thunk']);
const INDIRECT = /^__x86_indirect_(?:thunk|jump_thunk|call_thunk|its_thunk)_(\w+)$/;

export function thunkNamed(name: string): Thunk | null {
  if (RETURN_THUNKS.has(name)) return { kind: 'return' };
  const found = INDIRECT.exec(name);
  return found?.[1] === undefined ? null : { kind: 'indirect', register: found[1] };
}

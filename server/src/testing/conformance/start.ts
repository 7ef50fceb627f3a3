// How a variant starts: what its sequence gives, and the values of what it does not. The image and our machine start alike.
import { GENERAL_REGISTERS } from './names.ts';
import { CHANGES } from './observation.ts';
import { PLAIN_GATE } from './sequence.ts';
import type { GateSpec, Value } from './sequence.ts';
import { evaluate } from './value.ts';
import type { Variant } from './variant.ts';

export const SELECTORS = { kernel: { cs: 0x10, ss: 0x18, stack: 'stack_thread-0x100' }, user: { cs: 0x33, ss: 0x2b, stack: 'stack_user-0x100' } } as const;

/** Start values of registers that a sequence does not give: each its own, so that a mix-up shows. */
function defaultRegister(name: string): bigint {
  return 0xa0n + BigInt(GENERAL_REGISTERS.indexOf(name));
}

/** Start values of the system registers that a sequence does not give. */
const SYSTEM_DEFAULTS: Readonly<Record<string, Value>> = {
  star: '0x23001000000000', lstar: '0', fmask: '0', gs_base: '0x1111000', kernel_gs_base: '0x2222000', cr2: '0', cr4: '0', dr0: '0', dr1: '0', dr2: '0', dr3: '0', dr6: '0xffff0ff0', dr7: '0x400', rsp0: 'stack_rsp0', ist1: 'stack_ist1', ist2: 'stack_ist2', ist3: 'stack_ist3', ist4: 'stack_ist4', ist5: 'stack_ist5', ist6: 'stack_ist6', mcg_status: '0',
};

export function systemValue(variant: Variant, name: string): Value {
  return variant.sequence.system.get(name) ?? SYSTEM_DEFAULTS[name] ?? '0';
}

export function registerValue(variant: Variant, name: string): Value {
  const given = variant.sequence.registers.get(name);
  if (given !== undefined) return given;
  return name === 'rsp' ? SELECTORS[variant.sequence.mode].stack : `0x${defaultRegister(name).toString(16)}`;
}

/** Gates that differ from the default ones: those that a sequence describes, and those of its handlers. */
export function gatesOf(variant: Variant): ReadonlyMap<number, GateSpec> {
  const gates = new Map(variant.sequence.gates);
  for (const { point } of variant.blocks) if (point !== null && point < 256 && !gates.has(point)) gates.set(point, PLAIN_GATE);
  return gates;
}

/** Values at the start of a variant by the names of CHANGES, with the addresses of whoever runs it. */
export function startValues(variant: Variant, resolve: (name: string) => bigint | null): Readonly<Record<string, bigint>> {
  const value = (name: string): bigint => {
    if (name === 'irr') return 0n;
    if (name === 'cr3') return resolve('page_tables') ?? 0n;
    return evaluate(GENERAL_REGISTERS.includes(name) ? registerValue(variant, name) : systemValue(variant, name), resolve);
  };
  return Object.fromEntries(CHANGES.map((name) => [name, value(name)]));
}

// The machine that a variant runs on: gates, task-state segment, system calls, debug registers and the start state, as the
// image's driver sets them up.
import type { Gate, MachineSetup } from '../../core/machine/config.ts';
import { CODE_REGION, PERCPU_REGION, addressOfNode, regionBase } from '../../core/machine/layout.ts';
import { INTEL, LINUX_DESCRIPTORS } from '../../core/machine/processor.ts';
import type { Descriptor } from '../../core/machine/processor.ts';
import { REGISTER_NAMES } from '../../core/machine/registers.ts';
import { INITIAL_CPU } from '../../core/machine/state.ts';
import type { State } from '../../core/machine/state.ts';
import { constant } from '../../core/machine/word.ts';
import type { Word } from '../../core/machine/word.ts';
import { gatesOf, registerValue, startValues, systemValue } from './start.ts';
import { LAYOUT, resolveName, stackRegion } from './model-layout.ts';
import type { ModelProgram } from './model-program.ts';
import { flagsImage, POINTS } from './names.ts';
import { PLAIN_GATE } from './sequence.ts';
import type { GateSpec } from './sequence.ts';
import { evaluate } from './value.ts';
import type { Variant } from './variant.ts';

export interface VariantMachine {
  readonly setup: MachineSetup;
  readonly initial: State;
  /** Values that observations tell changes from. */
  readonly start: Readonly<Record<string, bigint>>;
}

/** So that RSP0, at byte 4, and the IST slots, from byte 36, are words of memory of their own. */
const TASK_STATE = regionBase(PERCPU_REGION) + 4n;
const IST_NUMBERS = [1, 2, 3, 4, 5, 6] as const;

const absent: Descriptor = { kind: 'code', privilege: 0, present: false, wide: true, writable: false };

/** The image's descriptor table. */
const DESCRIPTORS = {
  entries: new Map([...LINUX_DESCRIPTORS.entries, [0x40n, { ...absent, kind: 'system', present: true }], [0x50n, absent], [0x58n, { ...absent, kind: 'data', writable: true }]] satisfies (readonly [bigint, Descriptor])[]),
  complete: true,
};

export function machineOf(program: ModelProgram, variant: Variant, number: number): VariantMachine {
  const { sequence } = variant;
  const resolve = (name: string): bigint | null => {
    if (!name.startsWith('@')) return resolveName(name);
    const node = program.label(number, name.slice(1));
    return node === null ? null : addressOfNode(node, sequence.mode === 'user');
  };
  const system = (name: string): bigint => evaluate(systemValue(variant, name), resolve);
  const specs = gatesOf(variant);
  const gates = new Map<number, Gate>();
  for (let vector = 0; vector < 256; vector += 1) gates.set(vector, gateOf(vector, specs.get(vector) ?? PLAIN_GATE, program.entry(number, vector) ?? 0));
  const check = sequence.machineCheck;
  const setup: MachineSetup = {
    code: program.code,
    layout: LAYOUT,
    delivery: 'idt',
    gates,
    fred: null,
    systemCalls: { syscall: program.entry(number, POINTS.syscall), flagMask: system('fmask'), sysenter: null, sysenterStack: 0n, vmExit: null },
    processor: {
      ...INTEL,
      machineCheckEnabled: (system('cr4') & CR4_MCE) === 0n,
      ripValid: ((check?.global ?? 0) & 1) !== 0,
      errorIpValid: ((check?.global ?? 0) & 2) !== 0,
      pcid: false,
      smap: false,
      choices: { ...INTEL.choices, latchesNmi: true },
    },
    descriptors: DESCRIPTORS,
    pageTables: { userBit: 0n, user: new Set(), readOnly: new Set() },
    taskState: { address: TASK_STATE, ist: new Map(IST_NUMBERS.map((ist) => [stackRegion(`ist${ist}`)?.index ?? CODE_REGION, ist])) },
    guards: [],
    events: [
      { name: 'NMI', vector: 2, budget: 0, kind: 'async' },
      { name: 'MC', vector: 18, budget: 1, kind: 'async' },
    ],
    rsp0: system('rsp0'),
    taskStack: stackRegion('thread')?.index ?? CODE_REGION,
    primitives: new Map(),
    irqWorkVector: null,
    taskWorkEntry: null,
    userFaults: [],
    visible: null,
    depth: Number.MAX_SAFE_INTEGER,
    failing: new Set(),
    gap: null,
    contexts: new Map(),
    first: null,
    firstBudget: 0,
  };
  return { setup, initial: initialState(program, variant, number, setup, resolve, system), start: startValues(variant, resolve) };
}

/** Bit of CR4 that a sequence turns off: `cr4` lists the bits that differ from the usual ones. */
const CR4_MCE = 0x40n;
const MCIP = 4n;

function gateOf(vector: number, spec: GateSpec, stub: number): Gate {
  return {
    vector,
    stub,
    ist: spec.ist === 0 ? null : (stackRegion(`ist${spec.ist}`)?.index ?? null),
    dpl: spec.dpl === 3 ? 3 : 0,
    type: spec.type === 0xe ? 'interrupt' : spec.type === 0xf ? 'trap' : 'invalid',
    present: spec.present,
    selector: BigInt(spec.selector),
    canonical: spec.offset !== 'noncanonical',
  };
}

function initialState(program: ModelProgram, variant: Variant, number: number, setup: MachineSetup, resolve: (name: string) => bigint | null, system: (name: string) => bigint): State {
  const { sequence } = variant;
  const user = sequence.mode === 'user';
  const memory: (readonly (Word | undefined)[])[] = LAYOUT.regions.map(() => []);
  const words: (Word | undefined)[] = [];
  const put = (offset: number, value: bigint): void => {
    words[offset / 8] = constant(value);
  };
  put(8, system('rsp0'));
  for (const ist of IST_NUMBERS) put(32 + ist * 8, system(`ist${ist}`));
  memory[PERCPU_REGION] = [...words];
  return {
    node: program.entry(number, null) ?? 0,
    registers: REGISTER_NAMES.map((name) => constant(evaluate(registerValue(variant, name), resolve))),
    flags: constant(flagsImage(sequence.flags)),
    cpu: {
      ...INITIAL_CPU,
      cpl: user ? 3 : 0,
      cs: constant(user ? 0x33n : 0x10n),
      ss: constant(user ? 0x2bn : 0x18n),
      gsBase: constant(system('gs_base')),
      kernelGsBase: constant(system('kernel_gs_base')),
      cr2: constant(system('cr2')),
      cr3: constant(resolve('page_tables') ?? 0n),
      breakpoints: ['dr0', 'dr1', 'dr2', 'dr3'].map((name) => constant(system(name))),
      dr6: constant(system('dr6')),
      dr7: constant(system('dr7')),
      mcip: (system('mcg_status') & MCIP) !== 0n,
    },
    memory,
    frames: [],
    pending: [],
    budgets: setup.events.map(() => Number.MAX_SAFE_INTEGER),
    features: [],
    ghosts: [],
    ended: null,
  };
}

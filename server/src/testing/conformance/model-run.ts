// Runs a variant on our machine and tells what it shows, in the image's own terms. The machine decides what may arrive at
// a boundary; this runner is the environment that asked for it, and takes what may arrive at once, as a processor does.
import { nodeAtAddress } from '../../core/machine/layout.ts';
import type { MachineSetup } from '../../core/machine/config.ts';
import { draftOf, load } from '../../core/machine/draft.ts';
import { readMsr, MSR } from '../../core/machine/msr.ts';
import { successors } from '../../core/machine/machine.ts';
import type { Step } from '../../core/machine/machine.ts';
import { registerIndex } from '../../core/machine/registers.ts';
import type { State } from '../../core/machine/state.ts';
import { isConstant } from '../../core/machine/word.ts';
import type { Word } from '../../core/machine/word.ts';
import { nameAddress } from './model-layout.ts';
import type { ModelProgram } from './model-program.ts';
import { machineOf } from './model-setup.ts';
import { GENERAL_REGISTERS, POINTS } from './names.ts';
import { frameOf, observe } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Variant } from './variant.ts';

/** Steps after which a variant is cut off; the longest has some sixty. */
const MOST_STEPS = 1000;

const NMI = 2;
const MACHINE_CHECK = 18;

interface Requests {
  nmi: boolean;
  machineCheck: boolean;
}

export function runOnMachine(program: ModelProgram, variant: Variant, number: number): readonly Observation[] {
  const { setup, initial, start } = machineOf(program, variant, number);
  const seen: Observation[] = [];
  const requests: Requests = { nmi: false, machineCheck: false };
  let timer = variant.timer;
  let state = initial;
  for (let count = 0; count < MOST_STEPS; count += 1) {
    if (timer !== null && state.node === (program.entry(number, null) ?? 0) + timer.boundary) {
      state = request(state, requests, timer.vector);
      timer = null;
    }
    const place = program.places.get(state.node);
    if (place === undefined) return [...seen, { at: `node ${state.node}, which is no line of the test` }];
    const step = next(setup, state, requests);
    if (step === null) return [...seen, { at: 'nothing can happen' }];
    const ran = step.event === null && !step.effects.some(({ kind }) => kind === 'deliver');
    if (ran && place.point !== null) seen.push(observation(program, setup, state, place.point, start));
    if (ran && place.pseudo === 'note') seen.push(observation(program, setup, state, POINTS.note, start));
    if (ran && place.pseudo === 'exit') return [...seen, observation(program, setup, state, POINTS.exit, start)];
    state = withoutGhosts(step.state);
    if (state.ended !== null) return [...seen, { at: /shutdown/.test(state.ended) ? 'shutdown' : `our machine ended: ${state.ended}` }];
    if (ran && place.pseudo !== null) state = arrange(variant, state, requests, place.pseudo);
  }
  return [...seen, { at: 'runaway' }];
}

/** What the processor does at this boundary: what the environment asked for and may arrive, else the instruction. */
function next(setup: MachineSetup, state: State, requests: Requests): Step | null {
  const { steps } = successors(setup, state);
  const arriving = (vector: number): Step | undefined => steps.find(({ event }) => event === vector);
  const [first] = steps;
  const check = requests.machineCheck ? arriving(MACHINE_CHECK) : undefined;
  if (check !== undefined) {
    requests.machineCheck = false;
    return check;
  }
  // A recorded debug trap or a latched NMI takes the place of the instruction.
  if (first === undefined || first.event === 1 || first.event === NMI) return first ?? null;
  const nmi = requests.nmi ? arriving(NMI) : undefined;
  if (nmi !== undefined) {
    requests.nmi = false;
    return nmi;
  }
  const interrupts = steps.filter(({ event }) => event !== null && event > NMI && event !== MACHINE_CHECK).sort((a, b) => (b.event ?? 0) - (a.event ?? 0));
  return interrupts[0] ?? first;
}

function request(state: State, requests: Requests, vector: number): State {
  if (vector === NMI) requests.nmi = true;
  else if (!state.pending.some((one) => one.vector === vector)) return { ...state, pending: [...state.pending, { kind: 'irq', vector }] };
  return state;
}

/** An instruction of the test has run. */
function arrange(variant: Variant, state: State, requests: Requests, pseudo: string): State {
  const [name, vector] = pseudo.split(' ');
  switch (name) {
    case 'self_nmi':
      return request(state, requests, NMI);
    case 'self_ipi':
      return request(state, requests, Number(vector ?? '0xf3'));
    case 'machine_check': {
      const check = variant.sequence.machineCheck;
      requests.machineCheck = check !== null && (!check.other || check.broadcast);
      if (check?.nmi === true) requests.nmi = true;
      return state;
    }
    default:
      return state;
  }
}

/** The frames that rules watch are no part of the processor: a sequence may overwrite and leave them as it likes. */
function withoutGhosts(state: State): State {
  const broken = state.ended === 'frame-overwritten' || state.ended === 'wrong-return' || state.ended === 'stack-on-user-rsp';
  return { ...state, frames: [], ended: broken ? null : state.ended };
}

const EXIT_FRAME = ['saved_rip', 'saved_cs', 'saved_rflags', 'saved_rsp', 'saved_ss'] as const;

function observation(program: ModelProgram, setup: MachineSetup, state: State, point: number, start: Readonly<Record<string, bigint>>): Observation {
  const draft = draftOf(state);
  const unknown: string[] = [];
  const number = (word: Word | undefined, what: string): bigint => {
    if (word !== undefined && isConstant(word)) return word.value;
    unknown.push(what);
    return -1n;
  };
  const { cpu } = state;
  const registers = Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, number(state.registers[registerIndex(name) ?? -1], name)]));
  const rsp = registers['rsp'] ?? 0n;
  const values: Record<string, bigint> = {
    ...registers,
    rflags: number(state.flags, 'rflags'),
    cs: number(cpu.cs, 'cs'),
    ss: number(cpu.ss, 'ss'),
    cr2: number(cpu.cr2, 'cr2'),
    cr3: number(cpu.cr3, 'cr3'),
    dr6: number(cpu.dr6, 'dr6'),
    dr7: number(cpu.dr7, 'dr7'),
    gs_base: number(cpu.gsBase, 'gs_base'),
    kernel_gs_base: number(cpu.kernelGsBase, 'kernel_gs_base'),
    mcg_status: number(readMsr(draft, setup, MSR.mcgStatus), 'mcg_status'),
    irr: state.pending.reduce((bits, one) => bits | (1n << BigInt(one.vector - 0xe0)), 0n),
  };
  const place = program.places.get(state.node);
  const name = (value: bigint): string | null => {
    const node = nodeAtAddress(value);
    const shown = node === null ? undefined : program.places.get(node)?.shown;
    return shown ?? nameAddress(value);
  };
  if (point === POINTS.exit) {
    const state5 = [0n, values['cs'] ?? 0n, values['rflags'] ?? 0n, rsp, values['ss'] ?? 0n];
    const frame = Object.fromEntries(EXIT_FRAME.map((field, index) => [field, state5[index] ?? 0n]));
    return { ...observe(point, values, frame, start, name), rip: place?.shown ?? '', ...told(unknown) };
  }
  const frame = point < 256 ? frameOf(rsp, (index) => number(load(draft, setup, rsp + BigInt(index * 8), 8), `frame ${index}`)) : {};
  return { ...observe(point, values, frame, start, name), ...told(unknown) };
}

function told(unknown: readonly string[]): Observation {
  return unknown.length === 0 ? {} : { unknown: unknown.join(', ') };
}

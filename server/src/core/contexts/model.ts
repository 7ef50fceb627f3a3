// The machine as a model for the explorer: states packed by interned components.
import { createInterner } from '../explore/interner.ts';
import type { Model } from '../explore/model.ts';
import type { MachineSetup } from '../machine/config.ts';
import { successors } from '../machine/machine.ts';
import type { Step } from '../machine/machine.ts';
import type { Cpu, Frame, Saved, State } from '../machine/state.ts';

export interface MachineTransition extends Step {
  readonly weight: number;
}

export interface MachineModel extends Model<State> {
  readonly successors: (state: State) => readonly MachineTransition[];
  /** Whether some path was cut off because frames were nested as deep as the bound allows. */
  readonly cutOff: () => boolean;
}

const WIDTH = 6;

/** Steps that one choice may stand for: a loop that touches nothing ends here. */
const LONGEST_CHAIN = 256;

/** Sees the states that a choice runs through without leaving another choice. */
export type Passed = (state: State) => void;

/**
 * `initial` are the start states; the model owns its interners, so packed states of two models do not compare. Where the
 * set-up names visible boundaries, steps between them that leave no choice and do nothing a rule could judge are taken
 * together; with all boundaries visible every step is a state.
 */
export function machineModel(setup: MachineSetup, initial: readonly State[], passed: Passed | null = null): MachineModel {
  const components = createInterner();
  const regions = new WeakMap<object, number>();
  let cut = false;

  function chain(step: Step): MachineTransition {
    const { visible } = setup;
    let { state } = step;
    let weight = 1;
    while (visible !== null && weight < LONGEST_CHAIN && state.ended === null && !visible.has(state.node)) {
      const behind = successors(setup, state);
      const only = behind.steps[0];
      if (behind.cutOff || only === undefined || behind.steps.length !== 1 || only.effects.length > 0 || only.state.ended !== null) break;
      passed?.(state);
      state = only.state;
      weight += 1;
    }
    return { ...step, state, weight };
  }

  function regionId(region: State['memory'][number]): number {
    if (region.length === 0) return 0;
    const known = regions.get(region);
    if (known !== undefined) return known;
    let key = 'm';
    for (let slot = 0; slot < region.length; slot += 1) key += `,${region[slot]?.id ?? ''}`;
    const id = components.idOf(key) + 1;
    regions.set(region, id);
    return id;
  }

  function memoryId(memory: State['memory']): number {
    const known = regions.get(memory);
    if (known !== undefined) return known;
    let key = 'M';
    for (const region of memory) key += `,${regionId(region)}`;
    const id = components.idOf(key) + 1;
    regions.set(memory, id);
    return id;
  }

  function registersId(registers: State['registers']): number {
    const known = regions.get(registers);
    if (known !== undefined) return known;
    let key = 'R';
    for (const one of registers) key += `,${one.id}`;
    const id = components.idOf(key);
    regions.set(registers, id);
    return id;
  }

  function cpuId(cpu: Cpu): number {
    const known = regions.get(cpu);
    if (known !== undefined) return known;
    const bits = `${cpu.cpl}${cpu.nmiBlocked ? 'B' : ''}${cpu.nmiLatched ? 'L' : ''}${cpu.mcip ? 'M' : ''}${cpu.veInfoValid ? 'V' : ''}${cpu.shadow}`;
    const id = components.idOf(`P${bits},${cpu.level},${cpu.pendingDebug},${cpu.gsBase.id},${cpu.kernelGsBase.id},${cpu.cr2.id},${cpu.cr3.id},${cpu.cs.id},${cpu.ss.id},${cpu.specCtrl.id},${cpu.dr6.id},${cpu.dr7.id},${registersId(cpu.breakpoints)}`);
    regions.set(cpu, id);
    return id;
  }

  function framesId(frames: readonly Frame[]): number {
    if (frames.length === 0) return 0;
    const known = regions.get(frames);
    if (known !== undefined) return known;
    const id = components.idOf(framesKey(frames)) + 1;
    regions.set(frames, id);
    return id;
  }

  function savedId(saved: Saved): number {
    const known = regions.get(saved);
    if (known !== undefined) return known;
    const id = components.idOf(`S${registersId(saved.registers)},${saved.flags.id},${saved.cs.id},${saved.ss.id},${saved.gsBase.id},${saved.kernelGsBase.id},${saved.cr3.id},${saved.specCtrl.id}`);
    regions.set(saved, id);
    return id;
  }

  function framesKey(frames: readonly Frame[]): string {
    let key = 'F';
    for (const frame of frames) key += `;${frame.vector},${frame.base},${frame.interrupted},${frame.rsp.id},${frame.cpl},${frame.region},${frame.level},${savedId(frame.saved)}`;
    return key;
  }

  return {
    width: WIDTH,
    initial: () => initial,
    successors: (state) => {
      const next = successors(setup, state);
      if (next.cutOff) cut = true;
      return next.steps.map(chain);
    },
    pack: (state, into, offset) => {
      let rest = `B${state.budgets.join(',')}|${state.features.join(',')}|${state.ended ?? ''}|`;
      for (const pending of state.pending) rest += `${pending.kind}${pending.vector};`;
      for (const ghost of state.ghosts) rest += `|${ghost.owner ?? ''},${ghost.clearedAt ?? ''},${ghost.aboveFrame ? 1 : 0}`;
      into[offset] = state.node;
      into[offset + 1] = registersId(state.registers);
      into[offset + 2] = components.idOf(`C${state.flags.id},${cpuId(state.cpu)}`);
      into[offset + 3] = memoryId(state.memory);
      into[offset + 4] = framesId(state.frames);
      into[offset + 5] = components.idOf(rest);
    },
    cutOff: () => cut,
  };
}

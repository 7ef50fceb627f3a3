// The machine at one step of a replay as rows of names and values: registers, control state, guards and variables.
// Values are in the words of the code: addresses of code, stacks and variables by name.
import { cr3Text, flagText, gsText, nodeText, pendingText } from '../contexts/projection.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, guardBusy, load } from '../machine/draft.ts';
import { addressOfNode, CODE_REGION, GLOBAL_REGION, nameAddress, nodeAtAddress, PERCPU_REGION, regionBase, regionIndexOf, stackOf } from '../machine/layout.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import * as flags from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant, show } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Row } from '../playback-types.ts';
import type { Program } from '../program/program.ts';
import type { Waiting } from './playback-calls.ts';

/** The machine at one step, and who waits there. */
export interface Moment {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly state: State;
  readonly waiting: Waiting;
}

const FLAGS: readonly (readonly [string, bigint])[] = [['CF', flags.CF], ['PF', flags.PF], ['AF', flags.AF], ['ZF', flags.ZF], ['SF', flags.SF], ['TF', flags.TF], ['IF', flags.IF], ['DF', flags.DF], ['OF', flags.OF], ['NT', flags.NT], ['RF', flags.RF], ['AC', flags.AC]];
/** Numbers that are shown as negative ones: error codes of Linux. */
const LEAST_NEGATIVE = -4096n;

export function wordText({ program, setup }: Pick<Moment, 'program' | 'setup'>, w: Word | undefined): string {
  if (w === undefined) return 'unknown';
  if (!isConstant(w)) return w.name !== '' || w.known === 0n ? show(w) : `partly known: 0x${w.value.toString(16)} in the bits 0x${w.known.toString(16)}`;
  if (w.value === regionBase(PERCPU_REGION)) return 'start of the per-CPU area';
  if (w.value === addressOfNode(program.contexts.get('user') ?? -1, true)) return 'user mode';
  const index = regionIndexOf(setup.layout, w.value);
  const signed = BigInt.asIntN(64, w.value);
  if (signed < 0n && signed >= LEAST_NEGATIVE) return signed.toString();
  if (index === CODE_REGION) return codeText(program, w.value) ?? show(w);
  return index >= 0 || stackOf(setup.layout, w.value) !== null ? nameAddress(setup.layout, w.value) : show(w);
}

function codeText(program: Program, address: bigint): string | null {
  const at = nodeAtAddress(address);
  const node = at === null ? undefined : program.code.nodes[at];
  return node === undefined ? null : nodeText(node);
}

export function registerRows(moment: Moment, registers = moment.state.registers): readonly Row[] {
  return REGISTER_NAMES.map((name, index) => ({ name, value: wordText(moment, registers[index]), watch: { kind: 'register', name } }));
}

/** Flags that are set, and those of which it is not known. */
export function flagsText(word: Word): string {
  if (isConstant(word)) return flagNames(word.value) || 'none set';
  const open = flagNames(~word.known);
  return word.name !== '' ? `${word.name}, ${flagNames(word.value) || 'none'} set` : `${flagNames(word.value) || 'none'} set${open === '' ? '' : `, ${open} unknown`}`;
}

function flagNames(bits: bigint): string {
  return FLAGS.filter(([, bit]) => (bits & bit) !== 0n).map(([name]) => name).join(' ');
}

export function controlRows(moment: Moment): readonly Row[] {
  const { program, setup, state } = moment;
  const { cpu } = state;
  const text = (word: Word | undefined): string => wordText(moment, word);
  const row = (name: string, value: string): Row => ({ name, value, watch: { kind: 'register', name } });
  const node = program.code.nodes[state.node];
  return [
    row('rip', node === undefined ? 'unknown' : nodeText(node)),
    row('rflags', flagsText(state.flags)),
    ...FLAGS.map(([name, bit]) => row(name, flagText(state.flags, bit))),
    row('CPL', String(cpu.cpl)),
    row('cs', text(cpu.cs)),
    row('ss', text(cpu.ss)),
    row('GS base', gsText(state)),
    row('kernel GS base', isConstant(cpu.kernelGsBase) && cpu.kernelGsBase.value === regionBase(PERCPU_REGION) ? 'kernel' : text(cpu.kernelGsBase)),
    row('cr3', cr3Text(state)),
    row('cr2', text(cpu.cr2)),
    row('SPEC_CTRL', text(cpu.specCtrl)),
    row('dr6', text(cpu.dr6)),
    row('dr7', text(cpu.dr7)),
    row('NMI blocked', cpu.nmiBlocked ? 'yes' : 'no'),
    row('NMI latched', cpu.nmiLatched ? 'yes' : 'no'),
    row('MCG_STATUS.MCIP', cpu.mcip ? '1' : '0'),
    row('blocking', cpu.shadow === 'none' ? 'none' : cpu.shadow === 'sti' ? 'by STI' : 'by MOV SS'),
    ...(setup.delivery === 'fred' ? [row('stack level', String(cpu.level))] : []),
    row('pending', pendingText(state) || 'none'),
    row('pending #DB', cpu.pendingDebug === 0 ? 'none' : `DR6 bits 0x${cpu.pendingDebug.toString(16)}`),
    row('live frames', state.frames.map((frame) => `${vectorTitle(frame.vector)} at ${nameAddress(setup.layout, frame.base)}`).join(', ') || 'none'),
    ...(state.features.length === 0 ? [] : [row('CPU features', state.features.join(', '))]),
    ...(state.ended === null ? [] : [row('ended', state.ended)]),
  ];
}

/** Guards, then per-CPU words, then other variables. */
export function wordRows(moment: Moment): readonly Row[] {
  const { setup, state } = moment;
  const { layout } = setup;
  const draft = draftOf(state);
  const guards = setup.guards.map((guard, index): Row => {
    const busy = guardBusy(draft, setup, index);
    const word = guard.address === null ? null : load(draft, setup, guard.address, guard.size);
    const armed = busy === null ? 'unknown' : busy ? 'busy' : 'armed';
    return { name: guard.name, value: word === null ? armed : `${armed} (${wordText(moment, word)})`, watch: guard.address === null ? null : { kind: 'memory', address: guard.address, size: guard.size } };
  });
  const variables = [...[...layout.percpu].map(([name, at]) => ({ name, address: regionBase(PERCPU_REGION) + BigInt(at) })), ...[...layout.globals].map(([name, address]) => ({ name, address }))];
  const named = new Set(variables.map(({ address }) => address));
  const firsts = variables.map(({ name, address }) => wordRow(moment, name, address));
  const others = [PERCPU_REGION, GLOBAL_REGION].flatMap((region) =>
    (state.memory[region] ?? []).flatMap((slot, index): Row[] => {
      const address = regionBase(region) + BigInt(index * 8);
      return slot === undefined || named.has(address) ? [] : [wordRow(moment, nameAddress(layout, address), address)];
    }),
  );
  return [...guards, ...[...firsts, ...others].sort(byVariable)];
}

/** By name, and within a variable by offset. */
function byVariable(a: Row, b: Row): number {
  const [first = '', at = '0'] = a.name.split('+');
  const [second = '', to = '0'] = b.name.split('+');
  return first === second ? Number(at) - Number(to) : first < second ? -1 : 1;
}

export function wordRow(moment: Moment, name: string, address: bigint): Row {
  return { name, value: wordText(moment, load(draftOf(moment.state), moment.setup, address, 8)), watch: { kind: 'memory', address, size: 8 } };
}

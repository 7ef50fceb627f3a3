// The machine at one step as rows of names and values: registers, control state, stacks with what their slots are, words.
// Values are in the words of the code: addresses of code, stacks and variables by name.
import { cr3Text, gsText } from '../contexts/projection.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, guardBusy, load } from '../machine/draft.ts';
import { addressOfNode, CODE_REGION, GLOBAL_REGION, nameAddress, nodeAtAddress, PERCPU_REGION, regionBase, regionIndexOf, stackOf, top } from '../machine/layout.ts';
import type { Region } from '../machine/layout.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import type { Frame, State } from '../machine/state.ts';
import * as flags from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant, show } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Row, StackRows } from '../playback-types.ts';
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
/** Words of a hardware frame from its base up (SDM vol. 3A, "64-Bit Mode Stack Frame"). */
const FRAME_WORDS = ['RIP', 'CS', 'RFLAGS', 'RSP', 'SS'] as const;

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
  if (node === undefined) return null;
  return node.kind === 'interrupted' ? node.text : `${node.symbol}: ${node.text}`;
}

export function registerRows(moment: Moment, registers = moment.state.registers): readonly Row[] {
  return REGISTER_NAMES.map((name, index) => ({ name, value: wordText(moment, registers[index]), watch: { kind: 'register', name } }));
}

/** Flags that are set, and those of which it is not known. */
function flagsText(word: Word): string {
  if (isConstant(word)) return flagNames(word.value) || 'none set';
  const open = flagNames(~word.known);
  return word.name !== '' ? `${word.name}, ${flagNames(word.value) || 'none'} set` : `${flagNames(word.value) || 'none'} set${open === '' ? '' : `, ${open} unknown`}`;
}

function flagNames(bits: bigint): string {
  return FLAGS.filter(([, bit]) => (bits & bit) !== 0n).map(([name]) => name).join(' ');
}

export function flagText(word: Word, bit: bigint): string {
  if ((word.known & bit) === 0n) return 'unknown';
  return (word.value & bit) === 0n ? '0' : '1';
}

export function controlRows(moment: Moment): readonly Row[] {
  const { program, setup, state } = moment;
  const { cpu } = state;
  const text = (word: Word | undefined): string => wordText(moment, word);
  const row = (name: string, value: string): Row => ({ name, value, watch: { kind: 'register', name } });
  const node = program.code.nodes[state.node];
  return [
    row('rip', node === undefined ? 'unknown' : node.kind === 'interrupted' ? node.text : `${node.symbol}: ${node.text}`),
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
    row('pending', state.pending.map((pending) => (pending.kind === 'irq' ? vectorTitle(pending.vector) : 'task work')).join(', ') || 'none'),
    row('pending #DB', cpu.pendingDebug === 0 ? 'none' : `DR6 bits 0x${cpu.pendingDebug.toString(16)}`),
    row('live frames', state.frames.map((frame) => `${vectorTitle(frame.vector)} at ${nameAddress(setup.layout, frame.base)}`).join(', ') || 'none'),
    ...(state.features.length === 0 ? [] : [row('CPU features', state.features.join(', '))]),
    ...(state.ended === null ? [] : [row('ended', state.ended)]),
  ];
}

/** Stacks with words on them, that of RSP first. */
export function stackRows(moment: Moment): readonly StackRows[] {
  const { setup, state } = moment;
  const rsp = state.registers[RSP];
  const current = rsp !== undefined && isConstant(rsp) ? stackOf(setup.layout, rsp.value) : null;
  const names = slotNames(moment);
  const shown = setup.layout.regions.filter((region) => region.kind === 'stack' && (region === current || (state.memory[region.index] ?? []).some((slot) => slot !== undefined)));
  return [...shown].sort((a, b) => Number(b === current) - Number(a === current)).map((region) => {
    const slots = state.memory[region.index] ?? [];
    const facts = [...(region === current && rsp !== undefined ? [`RSP at ${shortAddress(region, rsp.value)}`] : []), ...(region.rewinding ? ['starts over at each event'] : []), `${count(slots)} words`];
    return { name: `${region.name} stack`, detail: facts.join(', '), slots: slots.flatMap((slot, index) => (slot === undefined ? [] : [slotRow(moment, region, index, slot, names)])) };
  });
}

function count(slots: readonly (Word | undefined)[]): number {
  let written = 0;
  for (const slot of slots) if (slot !== undefined) written += 1;
  return written;
}

function shortAddress(region: Region, address: bigint): string {
  const below = top(region) - address;
  return below === 0n ? 'top' : `top-0x${below.toString(16)}`;
}

function slotRow(moment: Moment, region: Region, index: number, slot: Word | undefined, names: ReadonlyMap<bigint, string>): Row {
  const address = top(region) - BigInt((index + 1) * 8);
  const name = names.get(address);
  return { name: `${shortAddress(region, address)}${name === undefined ? '' : ` ${name}`}`, value: valueIn(moment, slot, name), watch: { kind: 'memory', address, size: 8 } };
}

function valueIn(moment: Moment, slot: Word | undefined, role: string | undefined): string {
  return slot !== undefined && role?.startsWith('saved RFLAGS') === true ? flagsText(slot) : wordText(moment, slot);
}

/** What slots are, by their address: words of live frames, registers that are saved below them, locals of C functions. */
export function slotNames(moment: Moment): ReadonlyMap<bigint, string> {
  const names = new Map<bigint, string>();
  const { setup, state } = moment;
  for (const [local, name] of localAddresses(moment)) names.set(local, name);
  for (const frame of state.frames) {
    if (frame.region < 0) continue;
    FRAME_WORDS.forEach((name, index) => names.set(frame.base + BigInt(index * 8), `saved ${name} (${vectorTitle(frame.vector)})`));
    for (const [address, name] of savedBelow(moment, frame)) if (!names.has(address)) names.set(address, name);
  }
  for (let at = moment.waiting; at !== null; at = at.outer) {
    if (at.kind !== 'call' || at.rsp === undefined || !isConstant(at.rsp) || stackOf(setup.layout, at.rsp.value) === null) continue;
    names.set(at.rsp.value - 8n, 'return address');
  }
  return names;
}

/** Order in which `pt_regs` has the registers below the frame (arch/x86/include/asm/ptrace.h). */
const PT_REGS: readonly (readonly [string, number])[] = [['di', 7], ['si', 6], ['dx', 2], ['cx', 1], ['ax', 0], ['r8', 8], ['r9', 9], ['r10', 10], ['r11', 11], ['bx', 3], ['bp', 5], ['r12', 12], ['r13', 13], ['r14', 14], ['r15', 15]];

/** A slot below a frame is a register of `pt_regs` where it holds that which the event interrupted. */
function savedBelow({ setup, state }: Moment, frame: Frame): readonly (readonly [bigint, string])[] {
  const region = setup.layout.regions[frame.region];
  const slots = region === undefined ? [] : (state.memory[region.index] ?? []);
  if (region === undefined) return [];
  const found: [bigint, string][] = [];
  PT_REGS.forEach(([name, register], index) => {
    const address = frame.base - BigInt((index + 2) * 8);
    const word = slots[Number(top(region) - address) / 8 - 1];
    if (word !== undefined && word === frame.saved.registers[register]) found.push([address, `pt_regs.${name} (${vectorTitle(frame.vector)})`]);
  });
  if (found.length > 0) found.push([frame.base - 8n, `pt_regs.orig_ax (${vectorTitle(frame.vector)})`]);
  return found;
}

interface CodeInC {
  readonly names: readonly string[];
  readonly base: bigint;
  readonly function: string;
}

/** The C function that a frame runs, and where its locals lie; null in assembler and in a prologue. */
function functionOf({ program, setup }: Moment, node: number, rsp: Word | undefined): CodeInC | null {
  const code = program.code.nodes[node];
  if (code?.kind !== 'operation' || code.operation.kind === 'enter' || rsp === undefined || !isConstant(rsp)) return null;
  const source = program.functions.get(code.symbol)?.source ?? null;
  return source === null || stackOf(setup.layout, rsp.value) === null ? null : { names: source.slots, base: rsp.value, function: code.symbol };
}

function* framesOf({ state, waiting }: Moment): Iterable<{ readonly node: number; readonly rsp: Word | undefined; readonly at: Waiting }> {
  yield { node: state.node, rsp: state.registers[RSP], at: null };
  for (let at = waiting; at !== null; at = at.outer) yield { node: at.node, rsp: at.rsp, at };
}

function localAddresses(moment: Moment): ReadonlyMap<bigint, string> {
  const found = new Map<bigint, string>();
  for (const { node, rsp } of framesOf(moment)) {
    const c = functionOf(moment, node, rsp);
    c?.names.forEach((name, index) => {
      if (isLocal(name)) found.set(c.base + BigInt(index * 8), `${name} of ${c.function}()`);
    });
  }
  return found;
}

/** Slots of results in between have names of their own that no source has. */
function isLocal(name: string): boolean {
  return !name.startsWith('%');
}

/** RSP and the code of a frame, counted from the innermost. */
export function frameAt(moment: Moment, frame: number): { readonly node: number; readonly rsp: Word | undefined; readonly at: Waiting } | null {
  let index = 0;
  for (const one of framesOf(moment)) {
    if (index === frame) return one;
    index += 1;
  }
  return null;
}

export function localRows(moment: Moment, frame: number): readonly Row[] {
  const at = frameAt(moment, frame);
  const c = at === null ? null : functionOf(moment, at.node, at.rsp);
  if (c === null) return [];
  const draft = draftOf(moment.state);
  return c.names.flatMap((name, index): Row[] => {
    const address = c.base + BigInt(index * 8);
    return isLocal(name) ? [{ name, value: wordText(moment, load(draft, moment.setup, address, 8)), watch: { kind: 'memory', address, size: 8 } }] : [];
  });
}

/** What an event return must find again. */
export function savedRows(moment: Moment, frame: number): readonly Row[] {
  const at = frameAt(moment, frame)?.at ?? null;
  const live = at === null || at.kind === 'call' ? undefined : moment.state.frames[at.frame];
  if (live === undefined) return [];
  const { saved } = live;
  const row = (name: string, word: Word): Row => ({ name, value: wordText(moment, word), watch: null });
  return [
    { name: 'rip', value: nodeText(moment.program, live.interrupted), watch: null },
    row('rsp', live.rsp),
    row('cs', saved.cs),
    { name: 'rflags', value: flagsText(saved.flags), watch: null },
    row('ss', saved.ss),
    row('GS base', saved.gsBase),
    row('kernel GS base', saved.kernelGsBase),
    row('cr3', saved.cr3),
    ...registerRows(moment, saved.registers).filter(({ name }) => name !== 'rsp').map(({ name, value }) => ({ name, value, watch: null })),
  ];
}

function nodeText(program: Program, id: number): string {
  const node = program.code.nodes[id];
  return node === undefined ? 'unknown' : node.kind === 'interrupted' ? node.text : `${node.symbol}: ${node.text}`;
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

/** What differs between two moments that follow each other, with what it was: what was overwritten comes first. */
export function changedRows(before: Moment, after: Moment): readonly Row[] {
  const rows: Row[] = [];
  const compare = (old: readonly Row[], now: readonly Row[], missing: string): void => {
    const values = new Map(old.map((row) => [row.name, row.value]));
    for (const row of now) {
      const was = values.get(row.name) ?? missing;
      if (was !== row.value) rows.push({ name: row.name, value: `${was} -> ${row.value}`, watch: row.watch });
    }
  };
  const names = slotNames(after);
  const namesBefore = slotNames(before);
  for (const region of after.setup.layout.regions) {
    const old = before.state.memory[region.index] ?? [];
    const now = after.state.memory[region.index] ?? [];
    if (region.kind !== 'stack' || old === now) continue;
    for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
      if (old[index] === now[index]) continue;
      const address = top(region) - BigInt((index + 1) * 8);
      const role = names.get(address);
      const lost = namesBefore.get(address);
      const row = slotRow(after, region, index, now[index], role === undefined && lost !== undefined ? namesBefore : names);
      const was = old[index] === undefined ? 'never written' : valueIn(before, old[index], lost);
      rows.push({ ...row, name: `${region.name} ${row.name.replace(/ \(.*\)$/, '')}`, value: `${was}${lost !== undefined && lost !== role ? ` (${lost})` : ''} -> ${row.value}` });
    }
  }
  compare(wordRows(before), wordRows(after), 'never written');
  compare(registerRows(before), registerRows(after), 'unknown');
  compare(controlRows(before), controlRows(after).filter(({ name }) => name !== 'rip'), 'none');
  return rows;
}

// Stacks at one step of a replay, each slot with what it is; locals of C functions, and what an event return must find again.
import { nodeText } from '../contexts/projection.ts';
import { draftOf, load } from '../machine/draft.ts';
import { stackOf, top } from '../machine/layout.ts';
import type { Region } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import type { Frame } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Row, StackRows } from '../playback-types.ts';
import type { Waiting } from './playback-calls.ts';
import { flagsText, registerRows, wordText } from './playback-rows.ts';
import type { Moment } from './playback-rows.ts';

/** Words of a hardware frame from its base up (SDM vol. 3A, "64-Bit Mode Stack Frame"). */
const FRAME_WORDS = ['RIP', 'CS', 'RFLAGS', 'RSP', 'SS'] as const;

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

export function slotRow(moment: Moment, region: Region, index: number, slot: Word | undefined, names: ReadonlyMap<bigint, string>): Row {
  const address = top(region) - BigInt((index + 1) * 8);
  const name = names.get(address);
  return { name: `${shortAddress(region, address)}${name === undefined ? '' : ` ${name}`}`, value: valueIn(moment, slot, name), watch: { kind: 'memory', address, size: 8 } };
}

export function valueIn(moment: Moment, slot: Word | undefined, role: string | undefined): string {
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
  const node = moment.program.code.nodes[live.interrupted];
  const row = (name: string, word: Word): Row => ({ name, value: wordText(moment, word), watch: null });
  return [
    { name: 'rip', value: node === undefined ? 'unknown' : nodeText(node), watch: null },
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

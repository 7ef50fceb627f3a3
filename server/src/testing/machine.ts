// A machine over a few lines of assembler with gates for the vectors that the facts speak of. For tests only.
import assert from 'node:assert/strict';
import { linked, scenarioNamed } from './review.ts';
import { prepare } from '../core/contexts/setup.ts';
import type { MachineSetup } from '../core/machine/config.ts';
import { deliver } from '../core/machine/deliver.ts';
import { draftOf, finish, load } from '../core/machine/draft.ts';
import type { Effect } from '../core/machine/effects.ts';
import type { Happening } from '../core/machine/event.ts';
import { successors } from '../core/machine/machine.ts';
import type { Step } from '../core/machine/machine.ts';
import { registerIndex } from '../core/machine/registers.ts';
import type { State } from '../core/machine/state.ts';
import * as flags from '../core/machine/state.ts';
import { ALL, constant, isConstant, word } from '../core/machine/word.ts';
import type { Word } from '../core/machine/word.ts';

const table = `
/* xctx: guard ve_page.busy set=hw clear=store fallback=vmexit protects=stack,info */
DEFINE_PER_CPU(struct ve_page, ve_page);
DEFINE_PER_CPU(unsigned long, word);
static const struct idt_data idt[] = {
	ISTG(X86_TRAP_NMI,	asm_nmi,	IST_INDEX_NMI),
	ISTG(X86_TRAP_VE,	asm_ve,		IST_INDEX_VE),
	ISTG(X86_TRAP_MC,	asm_mc,		IST_INDEX_MCE),
	ISTG(X86_TRAP_DF,	asm_df,		IST_INDEX_DF),
	INTG(X86_TRAP_DB,	asm_db),
	INTG(X86_TRAP_GP,	asm_gp),
	INTG(X86_TRAP_NP,	asm_np),
	INTG(X86_TRAP_SS,	asm_ss),
	INTG(X86_TRAP_DE,	asm_de),
	INTG(X86_TRAP_PF,	asm_pf),
	INTG(X86_TRAP_UD,	asm_ud),
	INTG(X86_TRAP_BP,	asm_bp),
	INTG(0xf3,		asm_irq),
};
`;

const stubs = ['nmi', 've', 'mc', 'df', 'db', 'gp', 'np', 'ss', 'de', 'pf', 'ud', 'bp', 'irq'].map((name) => `SYM_CODE_START(asm_${name})\n\tnop\n\tiretq\nSYM_CODE_END(asm_${name})\n`).join('');

export interface Machine {
  readonly setup: MachineSetup;
  /** In kernel mode with IF=1 on the task stack, or in user mode, at the label `code` of the test's own lines. */
  readonly at: (start: 'kernel' | 'user', label?: string) => State;
  readonly node: (label: string) => number;
}

export async function machineOf(code: string): Promise<Machine> {
  const { program } = await linked(
    new Map([
      ['design.c', `#include "../../include/minikernel-ve.h"\n${table}`],
      ['entry.S', `#include "../../include/minikernel-entry.h"\n${stubs}SYM_CODE_START(code)\n${code}\n\tnop\n\tnop\nSYM_CODE_END(code)\n`],
    ]),
  );
  const scenario = scenarioNamed('nmi-nested', { NMI: 3, VE: 3, MC: 3 });
  const { setup } = prepare(program, { ...scenario, first: null }, 'kernel', { reference: true });
  const node = (label: string): number => program.code.symbols.get(label) ?? assert.fail(`there is no label ${label}`);
  return { setup, node, at: (start, label = 'code') => ({ ...prepare(program, { ...scenario, first: null }, start, { reference: true }).initial, node: node(label) }) };
}

/** The step of the code, which must be the only one. */
export function step(machine: Machine, state: State): Step {
  const own = successors(machine.setup, state).steps.filter(({ label }) => label === 'step');
  return own.length === 1 && own[0] !== undefined ? own[0] : assert.fail(`${own.length} steps at node ${state.node}`);
}

export function steps(machine: Machine, state: State, count: number): State {
  let now = state;
  for (let at = 0; at < count; at += 1) now = step(machine, now).state;
  return now;
}

/** Runs the code until the label, without events. */
export function until(machine: Machine, state: State, label: string): State {
  let now = state;
  for (let at = 0; now.node !== machine.node(label); at += 1) {
    assert.ok(at < 500, `${label} is not reached`);
    now = step(machine, now).state;
  }
  return now;
}

/** The same code on another set-up. */
export function withSetup(machine: Machine, change: Partial<MachineSetup>): Machine {
  return { ...machine, setup: { ...machine.setup, ...change } };
}

export function delivered(machine: Machine, state: State, vector: number, given: Partial<Happening> = {}): { readonly state: State; readonly effects: readonly Effect[] } {
  const draft = draftOf(state);
  deliver(draft, machine.setup, vector, given);
  return { state: finish(draft), effects: draft.effects };
}

/** Events that may arrive at a state, by their labels. */
export function events(machine: Machine, state: State): readonly string[] {
  return successors(machine.setup, state).steps.flatMap(({ label }) => (label === 'step' ? [] : [label]));
}

export function event(machine: Machine, state: State, label: string): Step {
  return successors(machine.setup, state).steps.find((one) => one.label === label) ?? assert.fail(`${label} cannot arrive: ${events(machine, state).join(', ')}`);
}

export function kinds(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}

export function memory(machine: Machine, state: State, address: bigint): Word {
  return load(draftOf(state), machine.setup, address, 8);
}

export function rsp(state: State): bigint {
  const found = state.registers[4];
  return found !== undefined && isConstant(found) ? found.value : assert.fail('RSP is not known');
}

const FLAGS: Readonly<Record<string, bigint>> = { CF: flags.CF, PF: flags.PF, AF: flags.AF, ZF: flags.ZF, SF: flags.SF, TF: flags.TF, IF: flags.IF, DF: flags.DF, OF: flags.OF, NT: flags.NT, RF: flags.RF, AC: flags.AC, ID: flags.ID };

/** Registers by lower-case name and flags by upper-case name set to values. */
export function given(state: State, values: Readonly<Record<string, bigint>>): State {
  const registers = [...state.registers];
  let image = state.flags;
  for (const [name, value] of Object.entries(values)) {
    const bit = FLAGS[name];
    if (bit === undefined) registers[registerIndex(name) ?? assert.fail(`there is no register ${name}`)] = constant(value);
    else image = word((image.known | bit) & ALL, value === 0n ? image.value & ~bit : image.value | bit, image.known === ALL ? '' : image.name);
  }
  return { ...state, registers, flags: image };
}

/** Value of a register or flag by name; null where it is not known. */
export function valueOf(state: State, name: string): bigint | null {
  const bit = FLAGS[name];
  if (bit !== undefined) return (state.flags.known & bit) === 0n ? null : (state.flags.value & bit) === 0n ? 0n : 1n;
  const found = state.registers[registerIndex(name) ?? assert.fail(`there is no register ${name}`)];
  return found !== undefined && isConstant(found) ? found.value : null;
}

// Which vectors the instruction at RIP may raise itself in a state, and why; and raising one exactly as the processor
// does: at the instruction, with nothing committed (IRET-03).
import type { InstructionNode } from './code.ts';
import type { MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import { codeBreakpoints, GENERAL_DETECT_CAUSE, NO_BREAKPOINTS } from './debug.ts';
import { deliver, deliverable } from './deliver.ts';
import { changeCpu, draftOf, register } from './draft.ts';
import type { Draft } from './draft.ts';
import { DEBUG, PAGE_FAULT } from './event.ts';
import type { Happening } from './event.ts';
import { decode } from './instructions/index.ts';
import type { Decoded } from './instructions/index.ts';
import { unblocksByFault } from './instructions/returns.ts';
import { linearAddress } from './instructions/row.ts';
import type { Execution } from './instructions/row.ts';
import { addressOfNode } from './layout.ts';
import { guestFaults } from './guest.ts';
import { accessFaults, fault } from './possible-fault.ts';
import type { PossibleFault } from './possible-fault.ts';
import { RSP } from './registers.ts';
import { RF } from './state.ts';
import type { State } from './state.ts';
import { vectorTitle } from './vectors.ts';
import { add, constant, ZERO } from './word.ts';

/** In the order in which the processor looks (PRI-01, groups 7 and 10); empty for code that is no instruction. */
export function faultsAt(setup: MachineSetup, state: State): readonly PossibleFault[] {
  const node = setup.code.nodes[state.node];
  if (node === undefined || node.kind !== 'instruction' || state.ended !== null) return [];
  const draft = draftOf(state);
  const known = decode(node);
  const breakpoint = breakpointFault(draft, node);
  return [...(breakpoint === null ? [] : [breakpoint]), ...ownFaults(execution(setup, draft, node, known), known), ...memoryFaults(draft, setup, node, known), ...guestFaults(processorOf(setup), node)];
}

function execution(setup: MachineSetup, draft: Draft, node: InstructionNode, known: Decoded): Execution {
  return { draft, setup, node, size: known.size, shadow: draft.cpu.shadow };
}

function ownFaults(x: Execution, known: Decoded): readonly PossibleFault[] {
  return known.check?.(x) ?? [];
}

/** Memory operands, and what the instruction pushes or pops. */
function memoryFaults(draft: Draft, setup: MachineSetup, node: InstructionNode, known: Decoded): readonly PossibleFault[] {
  const out: PossibleFault[] = [];
  known.memory.forEach((operand, index) => {
    const stack = operand.segment === null && (operand.base === RSP || operand.base === 5);
    const write = known.writes && index === known.memory.length - 1;
    out.push(...accessFaults(draft, setup, { address: linearAddress(draft, operand), size: known.size, write, stack }));
  });
  const stack = known.row?.stack;
  if (stack !== undefined && node.mnemonic !== 'jmp') {
    const rsp = register(draft, RSP);
    out.push(...accessFaults(draft, setup, { address: stack === 'push' ? add(rsp, constant(-8n)) : rsp, size: 8, write: stack === 'push', stack: true }));
  }
  return out;
}

/** DB-01: RF and the shadow of MOV SS hold it off (SHD-02). */
function breakpointFault(draft: Draft, node: InstructionNode): PossibleFault | null {
  if (draft.cpu.dr7 === NO_BREAKPOINTS || draft.cpu.shadow === 'movss' || (draft.flags.value & RF) !== 0n) return null;
  const bits = codeBreakpoints(draft.cpu, addressOfNode(node.id, draft.cpu.cpl === 3));
  return bits === 0 ? null : fault(DEBUG, true, 'a code breakpoint is set here', constant(BigInt(bits)));
}

/** The fault that the instruction certainly raises, or null: it runs. Mapping is looked at only where page tables are configured. */
export function certainFault(x: Execution, known: Decoded): PossibleFault | null {
  const breakpoint = breakpointFault(x.draft, x.node);
  if (breakpoint !== null) return breakpoint;
  const own = known.check?.(x).find((one) => one.certain && one.kind === 'exception');
  if (own !== undefined) return own;
  if (x.setup.pageTables === undefined) return null;
  return memoryFaults(x.draft, x.setup, x.node, known).find((one) => one.certain) ?? null;
}

/** Delivers a fault of the instruction at RIP: its RIP is saved, nothing else was changed. */
export function takeFault(draft: Draft, setup: MachineSetup, node: InstructionNode, found: PossibleFault): void {
  unblocksByFault(draft, setup, node, found.vector);
  if (!deliverable(setup, found.vector)) {
    draft.effects.push({ kind: 'unknown', what: `${node.text} raises ${vectorTitle(found.vector)}, which has no handler in view` });
    draft.ended = 'no-handler';
    return;
  }
  deliver(draft, setup, found.vector, happeningOf(found));
}

/** A #DB fault carries its cause where others carry their error code. */
function happeningOf(found: PossibleFault): Partial<Happening> {
  if (found.vector !== DEBUG) return { kind: 'exception', errorCode: found.errorCode, address: found.vector === PAGE_FAULT ? found.address : null };
  const debug = Number(found.errorCode.value);
  return { kind: 'exception', errorCode: ZERO, debug, instructionBreakpoint: (debug & GENERAL_DETECT_CAUSE) === 0 };
}

/** A draft in which the instruction at RIP has raised `vector`, whether or not the state tells that it can. */
export function faultedDraft(setup: MachineSetup, state: State, vector: number, given: { readonly errorCode?: PossibleFault['errorCode']; readonly address?: PossibleFault['address'] } = {}): Draft {
  const draft = draftOf(state);
  changeCpu(draft, { shadow: 'none' });
  const node = setup.code.nodes[state.node];
  const listed = faultsAt(setup, state).find((one) => one.vector === vector) ?? fault(vector, false, 'asked for');
  const found = { ...listed, ...(given.errorCode === undefined ? {} : { errorCode: given.errorCode }), ...(given.address === undefined ? {} : { address: given.address }) };
  const known = node?.kind === 'instruction' ? decode(node) : null;
  // INT n and INT3 run: what they raise is no fault of theirs.
  if (node?.kind === 'instruction' && found.kind !== 'exception' && known !== null && known.row !== null) known.row.run(execution(setup, draft, node, known));
  else if (node?.kind === 'instruction') takeFault(draft, setup, node, found);
  else deliver(draft, setup, vector, happeningOf(found));
  return draft;
}

// Words and look-ups that the rules about entry paths share: where a reader sees a step, what it calls and touches, and
// what the code under review knows of at all.
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import { cr3Of, gsOf, stackNameOf } from '../contexts/entry-start.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { titleOfStart } from '../contexts/entry-analysis.ts';
import { ENTRY_ROUTINES, entryCall, isRoutine } from '../kernel/entry-calls.ts';
import { absentFeature } from '../kernel/variants.ts';
import type { CodeNode, InstructionNode, MachineOperand } from '../machine/code.ts';
import { draftOf } from '../machine/draft.ts';
import { linearAddress } from '../machine/instructions/row.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import type { Word } from '../machine/word.ts';
import { isConstant } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import type { Premise } from './finding.ts';

export { cr3Of, gsOf, isConstant, stackNameOf };

/** Where a maintainer points: the line of the assembler file, or of the macro in it, that made the instruction. */
export function pathPlace(node: CodeNode): Place {
  if (node.kind === 'operation') return { file: node.origin.file, span: node.origin.span };
  for (const place of [node.origin, ...node.origin.uses]) if (place.file.endsWith('.S') || place.file.endsWith('.s')) return { file: place.file, span: place.span };
  return outermost(node.origin);
}

export function isInstruction(node: CodeNode): node is InstructionNode {
  return node.kind === 'instruction';
}

/** Name of the C function that a step enters: one out of view, or the first operation of one in view. */
export function cFunctionCalled(step: PathStep): string | null {
  if (step.calls !== null) {
    // Code that a sketch jumps to and does not show is a way out in assembler, unless it is a C function that is reached so.
    const jumps = step.program.sketch && isInstruction(step.node) && step.node.mnemonic.startsWith('j') && entryCall(step.calls).source === '';
    return jumps || isRoutine(step.calls) ? null : step.calls;
  }
  if (!isInstruction(step.node) || !/^(call|jmp)/.test(step.node.mnemonic)) return null;
  const entered = step.program.code.nodes[step.after.node];
  return entered?.kind === 'operation' && entered.operation.kind === 'enter' ? entered.symbol : null;
}

/** Memory operands that the instruction accesses; LEA and multi-byte NOPs access none. */
export function accesses(node: InstructionNode): readonly (MachineOperand & { kind: 'memory' })[] {
  if (/^(lea|nop|prefetch|verw|jmp|call|j)/.test(node.mnemonic)) return [];
  return node.operands.filter((operand): operand is MachineOperand & { kind: 'memory' } => operand.kind === 'memory');
}

export function addressOf(state: State, operand: MachineOperand & { kind: 'memory' }): Word {
  return linearAddress(draftOf(state), operand);
}

/** Whether the instruction uses the stack that RSP points at. */
export function usesStack(node: InstructionNode): boolean {
  if (/^(push|pop|call|ret|iret|enter|leave)/.test(node.mnemonic)) return true;
  return accesses(node).some((operand) => operand.base === RSP);
}

export interface Knowledge {
  /** Swaps or writes the GS base. */
  readonly gs: boolean;
  /** Writes CR3. */
  readonly cr3: boolean;
  readonly clac: boolean;
  readonly cld: boolean;
  readonly lfence: boolean;
  readonly verw: boolean;
  readonly untrains: boolean;
  /** Sets IBRS on entry on CPUs that need it. */
  readonly ibrs: boolean;
  /** Saves registers on entry. */
  readonly saves: boolean;
  /** Clears registers on entry. */
  readonly clears: boolean;
}

const IBRS_FEATURE = 'X86_FEATURE_KERNEL_IBRS';
/** Bit of IA32_SPEC_CTRL (SDM vol. 4, "IA32_SPEC_CTRL"). */
const IBRS = 1n;

/** Whether the CPU of a path needs IBRS in the kernel, and the code deals with it. */
export function needsIbrs(step: PathStep): boolean {
  return knowledgeOf(step.program).ibrs && step.start.variant.present.includes(IBRS_FEATURE);
}

export function ibrsIsClear(state: State): boolean {
  const { specCtrl } = state.cpu;
  return (specCtrl.known & IBRS) !== 0n && (specCtrl.value & IBRS) === 0n;
}

const known = new WeakMap<Program, Knowledge>();

/** What the code under review deals with anywhere: a sketch that never swaps GS is not about GS. */
export function knowledgeOf(program: Program): Knowledge {
  const found = known.get(program);
  if (found !== undefined) return found;
  const has = (test: (node: InstructionNode) => boolean): boolean => program.code.nodes.some((node) => node.kind === 'instruction' && !node.symbol.startsWith('stub of ') && test(node));
  const clears = program.code.nodes.filter((node) => node.kind === 'instruction' && node.mnemonic.startsWith('xor') && node.operands[0]?.kind === 'register' && node.operands[1]?.kind === 'register' && node.operands[0].register === node.operands[1].register);
  const made: Knowledge = {
    gs: has((node) => /^(swapgs|wrgsbase)/.test(node.mnemonic) || ENTRY_ROUTINES.has(node.targetName ?? '')),
    cr3: has((node) => node.operands.at(-1)?.kind === 'system-register' && (node.operands.at(-1) as { name: string }).name === 'cr3'),
    clac: has((node) => node.mnemonic === 'clac') && !isAssumedAbsent(program, 'X86_FEATURE_SMAP'),
    // A stub that clears AC is a whole one, and DF outlives delivery as AC does (DEL-03).
    cld: has((node) => node.mnemonic === 'cld' || node.mnemonic === 'clac'),
    lfence: has((node) => node.mnemonic === 'lfence'),
    verw: has((node) => node.mnemonic === 'verw'),
    // KVM, linked for the stubs that it calls, writes SPEC_CTRL for its guests in a kernel without the mitigation too.
    ibrs: program.code.nodes.some((node) => node.kind === 'feature' && node.feature === IBRS_FEATURE && !/\/kvm\//.test(node.origin.uses.at(-1)?.file ?? node.origin.file)),
    untrains: has((node) => node.targetName !== null && /untrain_ret/.test(node.targetName)),
    saves: program.code.nodes.filter((node) => node.kind === 'instruction' && node.mnemonic.startsWith('push') && node.operands[0]?.kind === 'register').length >= 9,
    clears: clears.length >= 8,
  };
  known.set(program, made);
  return made;
}

function isAssumedAbsent({ directives }: Program, feature: string): boolean {
  return directives.some((directive) => directive.kind === 'assume' && absentFeature(directive.subject) === feature);
}

/** The facts that every finding of a path rests on. */
export function pathPremises(step: PathStep): readonly Premise[] {
  const out: Premise[] = [{ fact: titleOfStart(step.start), place: null, assumed: false }];
  if (step.start.variant.name !== '') out.push({ fact: `CPU with ${step.start.variant.name}`, place: null, assumed: false });
  return out;
}

/** `#GP from user mode`: how the path was entered. */
export function entered(start: PathStart): string {
  return titleOfStart(start);
}

/** The jump by which a path left the code of its stub for return code that stubs share; 0 before that. */
export const exitJump: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const { node } = step;
    if (!isInstruction(node) || !node.mnemonic.startsWith('j') || step.calls !== null) return value;
    const to = step.program.code.nodes[step.after.node]?.symbol;
    return to !== undefined && to !== node.symbol && node.symbol !== '' ? node.id : value;
  },
};

/** Where what a return gets wrong was left undone: the jump to shared return code, else the return itself. */
export function exitPlace(step: PathStep, value: number): Place {
  const jump = step.program.code.nodes[value];
  return value > 0 && jump !== undefined && step.node.symbol === step.program.code.nodes[jumpTarget(jump)]?.symbol ? pathPlace(jump) : pathPlace(step.node);
}

function jumpTarget(node: CodeNode): number {
  return node.kind === 'instruction' ? (node.target ?? -1) : -1;
}

export function rspOf(state: State): Word | undefined {
  return state.registers[RSP];
}

/** The return that ends the path; one to a landing pad goes on with what the fault handler left for it. */
export function isEventReturn(step: PathStep): boolean {
  if (!step.effects.some((effect) => effect.kind === 'return') || !isInstruction(step.node)) return false;
  return step.start.door.kind !== 'call' && (step.after.cpu.cpl === 3 || step.after.node === step.start.interrupted.node);
}

/** What a return must bring back: the user mode at the bottom of the path, or the context that its event interrupted. */
export function expectedState(step: PathStep): State {
  let { start } = step;
  while (step.after.cpu.cpl === 3 && start.interrupted.cpu.cpl === 0 && start.parent !== null) start = start.parent.start;
  return start.interrupted;
}

// XR-STK01: the frame that the stub hands to C is not where pt_regs says: an error code too many or too few.
import type { PathStep } from '../contexts/entry-paths.ts';
import { vectorOf } from '../contexts/entry-start.ts';
import { regsOffset } from '../contexts/outside.ts';
import { stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, isConstant, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Place } from '../base/span.ts';
import { outermost } from '../base/span.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { draftOf, load } from '../machine/draft.ts';
import { innermostOf } from '../machine/recording.ts';
import { RDI, RSP } from '../machine/registers.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import { UNKNOWN } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

/** Offset of the saved RSP in pt_regs (arch/x86/include/asm/ptrace.h). */
const SAVED_RSP = 0x98n;
const SAVED_CS = 0x88n;

/** Words by which the frame lies beside where pt_regs has it; null where it is there or nothing tells. */
function frameShift(step: PathStep, name: string): number | null {
  const argument = step.before.registers[RDI];
  const frame = step.before.frames.at(-1);
  if (argument === undefined || !isConstant(argument) || frame === undefined || vectorOf(step.start.door) === null) return null;
  const regs = argument.value + regsOffset(step.program, name);
  const draft = draftOf(step.before);
  const holds = (shift: bigint): boolean => load(draft, step.setup, regs + SAVED_RSP + shift, 8) === frame.rsp;
  if (frame.rsp.name === '' && !isConstant(frame.rsp)) return null;
  if (holds(0n)) return null;
  return holds(8n) ? 1 : holds(-8n) ? -1 : null;
}

/** Copy the frame that they are given to another stack. */
const TAKES_REGS: ReadonlySet<string> = new Set(['sync_regs', 'fixup_bad_iret', 'vc_switch_off_ist']);

/** Whether the saved CS is not where pt_regs has it either: where it is, two words were exchanged and none was pushed too many. */
function movedAsAWhole(step: PathStep, name: string): boolean {
  const argument = step.before.registers[RDI];
  const { cs } = step.start.interrupted.cpu;
  if (argument === undefined || !isConstant(argument) || !isConstant(cs)) return true;
  const saved = load(draftOf(step.before), step.setup, argument.value + regsOffset(step.program, name) + SAVED_CS, 8);
  return !isConstant(saved) || saved.value !== cs.value;
}

/** Words between the frame and RSP where a stub calls a routine, by the routine and the stub's first node. */
type Slots = ReadonlyMap<NodeId, ReadonlyMap<NodeId, number>>;

const slotsOf = new WeakMap<Program, Slots>();

/** What each stub has below its frame at its first call, read off the pushes that stand before it. */
function slots(program: Program): Slots {
  const before = slotsOf.get(program);
  if (before !== undefined) return before;
  const words = new Map<NodeId, Map<NodeId, number>>();
  for (const { vector, stub } of program.handlers) {
    for (const { target, pushes } of firstCalls(program, stub)) {
      const own = words.get(target) ?? new Map<NodeId, number>();
      own.set(stub, pushes + (vectorByNumber(vector)?.errorCode === true ? 1 : 0));
      words.set(target, own);
    }
  }
  slotsOf.set(program, words);
  return words;
}

/** Instructions of a stub that are looked at for its first calls. */
const FAR = 40;

/** The routines that a stub calls first on each of its ways, and the pushes up to there. */
function firstCalls(program: Program, stub: NodeId): readonly { readonly target: NodeId; readonly pushes: number }[] {
  const found: { readonly target: NodeId; readonly pushes: number }[] = [];
  const waiting: { readonly at: NodeId | null; readonly pushes: number }[] = [{ at: stub, pushes: 0 }];
  for (let steps = 0; steps < FAR; steps++) {
    const item = waiting.shift();
    const node: CodeNode | undefined = item === undefined || item.at === null ? undefined : program.code.nodes[item.at];
    if (item === undefined) break;
    if (node?.kind === 'feature') waiting.push({ at: node.absent, pushes: item.pushes });
    if (node === undefined || !isInstruction(node) || /^(?:ret|iret|pop|add|sub)/.test(node.mnemonic)) continue;
    if (node.mnemonic === 'call') {
      if (node.target !== null) found.push({ target: node.target, pushes: item.pushes });
      continue;
    }
    const pushes = item.pushes + (node.mnemonic.startsWith('push') ? 1 : 0);
    if (node.mnemonic.startsWith('j')) waiting.push({ at: node.target, pushes });
    if (node.mnemonic !== 'jmp') waiting.push({ at: node.next, pushes });
  }
  return found;
}

/**
 * A routine that stubs share has one idea of where the frame is: that of the stub whose vector has an error code and
 * which pushes nothing. Null where the stub agrees, or where no stub says what the routine expects.
 */
function placeholderShift(step: PathStep): number | null {
  if (!isInstruction(step.node) || step.node.mnemonic !== 'call' || step.node.target === null) return null;
  const frame = innermostOf(step.before);
  const rsp = step.before.registers[RSP];
  if (step.start.door.kind !== 'event' || frame === undefined || rsp === undefined || !isConstant(rsp)) return null;
  const known = slots(step.program).get(step.node.target);
  const own = known?.get(step.start.door.stub);
  if (known === undefined || own === undefined || own === 1 || BigInt(own) !== (frame.base - rsp.value) / 8n) return null;
  const agreed = step.program.handlers.some(({ vector, stub }) => vectorByNumber(vector)?.errorCode === true && known.get(stub) === 1);
  return agreed && Math.abs(own - 1) === 1 ? own - 1 : null;
}

/** Where most of the stubs that call a routine are wrong, their macro is; where one is, its declaration. */
function stubPlace(step: PathStep): Place {
  const known = isInstruction(step.node) && step.node.target !== null ? slots(step.program).get(step.node.target) : undefined;
  const wrong = [...(known?.values() ?? [])].filter((words) => words !== 1).length;
  const first = step.start.door.kind === 'event' ? step.program.code.nodes[step.start.door.stub] : undefined;
  if (first === undefined) return pathPlace(step.node);
  return wrong > 2 ? pathPlace(first) : outermost(first.origin);
}

/** A stub that saves no registers makes no pt_regs to compare with: there a placeholder right below an error code tells. */
function placeholderBeside(step: PathStep): Judgement | null {
  const { node, before, start, program } = step;
  if (!isInstruction(node) || !node.mnemonic.startsWith('push') || start.door.kind !== 'event' || knowledgeOf(program).saves) return null;
  const [operand] = node.operands;
  if (operand?.kind !== 'immediate' || BigInt.asIntN(32, operand.value) > 0n) return null;
  const frame = innermostOf(before);
  const rsp = before.registers[RSP];
  if (frame === undefined || rsp === undefined || !isConstant(rsp)) return null;
  if (vectorByNumber(start.door.vector)?.errorCode !== true || rsp.value !== frame.base - 8n) return null;
  return { place: pathPlace(node), message: `${node.text} pushes a placeholder below the error code that the processor has pushed for ${entered(start)}: C code finds every word of the frame one further up; push none`, premises: pathPremises(step) };
}

/** The row that leads the vector to the stub. */
function gateOf({ program, start }: PathStep): NonNullable<Judgement['related']> {
  const { door } = start;
  const place = door.kind === 'event' ? program.handlers.find((one) => one.vector === door.vector)?.place : null;
  return place === null || place === undefined ? [] : [{ place, message: 'its gate' }];
}

/**
 * A sketch whose macros for saving and restoring registers are not in view, and whose IRETQ stands right behind the restore:
 * then they are not Linux's, and take care of the word for the error code as well.
 */
function macrosAgree({ program, node }: PathStep): boolean {
  const { nodes } = program.code;
  const own = nodes.filter((one) => one.symbol === node.symbol && isInstruction(one));
  const saved = own.some((one) => isInstruction(one) && one.mnemonic.startsWith('push') && one.origin.file.startsWith('<') && one.operands[0]?.kind === 'register');
  const returns = own.some((one) => isInstruction(one) && one.mnemonic.startsWith('iret'));
  const dropsWord = own.some((one) => isInstruction(one) && /^(?:add|sub|lea|mov|pop)/.test(one.mnemonic) && !one.origin.file.startsWith('<') && one.operands.some((operand, index) => operand.kind === 'register' && operand.register === RSP && index === one.operands.length - 1));
  return program.sketch && saved && returns && !dropsWord;
}

function judge(step: PathStep): readonly Judgement[] {
  if (!isInstruction(step.node)) return [];
  const placeholder = placeholderBeside(step);
  if (placeholder !== null) return [placeholder];
  const beside = placeholderShift(step);
  if (beside !== null) {
    const routine = step.program.code.nodes[step.node.target ?? step.node.id]?.symbol ?? 'the routine';
    const mend = beside > 0 ? 'the processor has pushed an error code already: push no placeholder, or declare the handler as one with an error code' : 'the processor pushes none: push a placeholder, or declare the handler as one without an error code';
    return [{ place: stubPlace(step), message: `the stub of ${entered(step.start)} calls ${routine}() with the frame one word ${beside > 0 ? 'further up' : 'further down'} than it is looked for there: ${mend}`, premises: pathPremises(step), related: [{ place: pathPlace(step.node), message: 'the call' }, ...gateOf(step)] }];
  }
  const name = cFunctionCalled(step);
  if (name !== null && TAKES_REGS.has(name) && step.start.door.kind === 'event' && step.program.contexts.has('inside C') && step.before.registers[RDI] === UNKNOWN) {
    return [{ place: pathPlace(step.node), message: `${name}() gets no pt_regs: %rdi holds what the C function before it left there (${entered(step.start)}); hand on the pointer that it returned`, premises: pathPremises(step) }];
  }
  const shift = name === null ? null : frameShift(step, name);
  if (shift === null) return [];
  if (shift < 0 && macrosAgree(step)) return [];
  if (!movedAsAWhole(step, name ?? '')) return [{ place: pathPlace(step.node), message: `${name}() gets a pt_regs whose sp is not the saved RSP, which lies beside it (${entered(step.start)}); copy each word of the frame to the place of its own`, premises: pathPremises(step) }];
  const what = shift > 0 ? 'one word more than' : 'one word less than';
  return [{ place: pathPlace(step.node), message: `${name}() gets a pt_regs whose frame is off by one word: the stub pushed ${what} it should for ${entered(step.start)}; push a placeholder exactly where the vector has no error code`, premises: pathPremises(step) }];
}

export const errorCodeFrameMismatch: Rule = {
  name: 'error-code-frame-mismatch',
  id: 'XR-STK01',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'the stub and the hardware disagree about the error code',
  why: 'The processor pushes an error code for some vectors and none for others. A stub that pushes a placeholder too many, or none where it is needed, hands C a pt_regs whose RIP is the saved CS, and returns to what lies beside the frame.',
  instead: 'Push a placeholder exactly where the vector has no error code, and declare the handler accordingly.',
  falsePositives: ['Interrupt stubs that push their vector in the slot.'],
  references: ['SDM vol. 3A, "Error Code"', 'semantics DEL-07'],
  bad: [{ title: 'A placeholder beside the error code of #GP', files: stubFiles({ placeholder: '\tpushq\t$-1\n', swap: '', unswap: '', call: '\tcall\tdemo_gp #~ error-code-frame-mismatch\n', leave: '\taddq\t$16, %rsp\n\tiretq\n' }) }],
  good: [{ title: 'The error code stands in the slot', files: stubFiles({ swap: '', unswap: '' }) }],
  judge: null,
  path: { at: ['call', 'push'], monitor: null, rank: 4, judge },
  inspect: null,
  fix: null,
};

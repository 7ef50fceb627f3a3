// XR-STK02: an event return takes its frame from where none is, or a routine goes back to C code with another stack or
// other registers than it was called with.
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Blamed } from '../contexts/path-causes.ts';
import { stubFiles } from './path-examples.ts';
import { entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { load, draftOf } from '../machine/draft.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import { constant, isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Judgement, Rule } from './rule.ts';
import { leavesByTheWrongWay } from './swapgs-imbalance.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (isInstruction(node) && node.mnemonic === 'ud2' && step.program.contexts.has('inside C') && !leavesByTheWrongWay(step)) {
    return [{ place: pathPlace(node), message: `${node.text} is reached (${entered(step.start)}): the words on the stack are not the frame that is asserted; undo every push and skip the error code before the return`, premises: pathPremises(step) }];
  }
  if (isInstruction(node) && step.start.door.kind === 'call') {
    const lost = lostByRoutine(step);
    return lost === null ? [] : [{ place: pathPlace(node), message: `${step.start.door.name}, which C code calls, ${lost}; leave the stack and the registers that a callee keeps as they were`, premises: pathPremises(step) }];
  }
  if (isInstruction(node) && /^retq?$/.test(node.mnemonic) && step.start.door.kind === 'event' && step.after.ended === 'left-code' && !isConstant(rspTarget(step))) {
    return [{ place: pathPlace(node), message: `${node.text} takes a word that is no return address for one (${entered(step.start)}): what was pushed since the call is still on the stack; pop it before the return, or move the return address`, premises: pathPremises(step) }];
  }
  if (!isInstruction(node) || !/^(iret|eret)/.test(node.mnemonic)) return [];
  const other = wrongReturn(step);
  if (other !== null) return [{ place: pathPlace(node), message: `${node.text} returns to ${other} mode (${entered(step.start)}), which it cannot: ERETS stays in the kernel, ERETU leaves it`, premises: pathPremises(step) }];
  const frame = before.frames.at(-1);
  const fred = wrongForFred(step);
  if (fred !== null) return [{ place: pathPlace(node), message: fred, premises: pathPremises(step), blamed: blamedOf(step) }];
  for (const effect of step.effects) {
    if (effect.kind === 'wrong-return') return [finding(step, `RSP comes back as ${effect.found} instead of ${effect.expected}`)];
  }
  if (frame !== undefined && node.mnemonic.startsWith('iret') && takesNoSelector(step)) return [finding(step, 'the word that is taken for CS is no selector')];
  if (frame === undefined || frame.fred || step.after.ended !== 'left-code') return [];
  const rip = load(draftOf(before), step.setup, frame.base, 8);
  return step.effects.some((effect) => effect.kind === 'unknown' && effect.what.includes('saved RIP')) && rip.name === '' ? [finding(step, 'the saved RIP is not an address of code')] : [];
}

/** The word that RET pops. */
function rspTarget({ before, setup }: PathStep): Word {
  const rsp = before.registers[RSP];
  return rsp === undefined || !isConstant(rsp) ? constant(0n) : load(draftOf(before), setup, rsp.value, 8);
}

/** What a called function keeps (System V ABI for AMD64, "Register Usage"). */
const KEPT = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'] as const;

/** What is wrong at the return of a routine that C code calls: it goes elsewhere, or comes back with something else. */
function lostByRoutine({ start, node, before, after, program }: PathStep): string | null {
  if (!isInstruction(node)) return null;
  if (/^(?:iret|eret)/.test(node.mnemonic)) return after.ended === 'left-code' ? `goes on behind ${node.mnemonic} at what is no address of code` : null;
  if (!node.mnemonic.startsWith('ret')) return null;
  const expected = start.interrupted.registers[RSP];
  const rsp = before.registers[RSP];
  if (after.node !== program.contexts.get('inside C') || expected === undefined || rsp === undefined || !isConstant(expected) || !isConstant(rsp)) {
    return after.ended === 'left-code' ? 'returns to what is no address of code' : null;
  }
  const changed = KEPT.filter((name) => {
    const [was, is] = [start.interrupted, after].map(({ registers }) => registers[REGISTER_NAMES.indexOf(name)]);
    return was !== undefined && was !== is && (isConstant(was) || was.name !== '');
  }).map((name) => `%${name}`);
  if (rsp.value !== expected.value - 8n) changed.push('%rsp');
  return changed.length === 0 ? null : `returns with another value in ${changed.join(', ')}`;
}

/** Bytes from the error code that ERETS and ERETU find at RSP to the saved CS (FR-02). */
const FRED_CS = 16n;

/** The mode that the frame of an ERETS or ERETU says, where that instruction cannot go there (FR-06). */
function wrongReturn({ node, before, setup }: PathStep): 'user' | 'kernel' | null {
  const rsp = before.registers[RSP];
  if (!isInstruction(node) || !node.mnemonic.startsWith('eret') || rsp === undefined || !isConstant(rsp)) return null;
  const cs = load(draftOf(before), setup, rsp.value + FRED_CS, 8);
  if ((cs.known & 3n) !== 3n) return null;
  const mode = (cs.value & 3n) === 3n ? 'user' : 'kernel';
  return (node.mnemonic === 'eretu') === (mode === 'user') ? null : mode;
}

/** ERETS and ERETU find the error code at RSP and skip it; IRET restores neither stack level nor blocking by NMI (FR-02, FR-05, FR-06). */
function wrongForFred(step: PathStep): string | null {
  const { node, before, start } = step;
  const frame = before.frames.at(-1);
  const rsp = before.registers[RSP];
  if (!isInstruction(node) || frame?.fred !== true || rsp === undefined || !isConstant(rsp)) return null;
  const right = start.user && before.frames.length === 1 ? 'ERETU' : 'ERETS';
  if (node.mnemonic.startsWith('iret')) return rsp.value === frame.base ? `${node.text} returns from a FRED frame (${entered(start)}): it restores no stack level, and does not go by what the frame says of NMIs; return with ${right}, which skips the error code itself` : null;
  const off = rsp.value - (frame.base - 8n);
  return off !== 0n && off > -FRED_FRAME && off < FRED_FRAME ? `${node.text} does not return to what ${entered(start)} interrupted: RSP is ${off < 0n ? -off : off} bytes ${off < 0n ? 'below' : 'above'} the error code of the frame, which ${right} skips itself` : null;
}

/** Bytes of a frame with the registers below it. */
const FRED_FRAME = 0xb8n;

const SELECTORS = 0xffffn;

/** Every selector that the kernel pushes or copies is one that is known. */
function takesNoSelector({ before, setup }: PathStep): boolean {
  const rsp = before.registers[RSP];
  if (rsp === undefined || !isConstant(rsp)) return false;
  const cs = load(draftOf(before), setup, rsp.value + 8n, 8);
  return !isConstant(cs) || cs.value > SELECTORS;
}

function finding(step: PathStep, what: string): Judgement {
  return { place: pathPlace(step.node), message: `${step.node.text} does not return to what ${entered(step.start)} interrupted: ${what}; undo every push and skip the error code before it`, premises: pathPremises(step), blamed: blamedOf(step) };
}

/** RSP, and the words that it points at. */
function blamedOf({ before }: PathStep): readonly Blamed[] {
  const rsp = before.registers[RSP];
  return [{ kind: 'register', name: 'rsp' }, ...(rsp === undefined || !isConstant(rsp) ? [] : [{ kind: 'word', address: rsp.value + 24n } as const])];
}

export const frameUnbalancedAtReturn: Rule = {
  name: 'frame-unbalanced-at-return',
  id: 'XR-STK02',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'an event return or the return of a routine finds something else than was pushed',
  why: 'IRET pops five words from where RSP points. If a push was not undone, or the error code not skipped, they are not the frame: the CPU goes on at a saved register, with a selector for flags. A routine that C code calls has the same duty to its caller: RSP and the registers that a callee keeps.',
  instead: 'Undo every push, and skip the error code or its placeholder, before the return.',
  falsePositives: ['Copies of a frame that code made on purpose, as Linux does for NMIs and on the entry stack.'],
  references: ['SDM vol. 2, "IRET/IRETD/IRETQ - Interrupt Return"', 'semantics DEL-01, IRET-01'],
  bad: [{ title: 'The error code is not skipped', files: stubFiles({ swap: '', unswap: '', leave: '\tiretq\t#~ frame-unbalanced-at-return\n' }) }],
  good: [{ title: 'The error code is skipped', files: stubFiles({ swap: '', unswap: '' }) }],
  judge: null,
  path: { at: ['return'], monitor: null, judge },
  inspect: null,
  fix: null,
};

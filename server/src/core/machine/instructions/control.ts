// Jumps, calls and returns.
import type { Example, Execution, InstructionRow } from './row.ts';
import { flag, goTo, proceed, read, write } from './row.ts';
import { pop, push } from '../carry.ts';
import { fork, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { addressOfNode, nodeAtAddress } from '../layout.ts';
import { CALLER_SAVED } from '../registers.ts';
import { CF, OF, PF, SF, ZF } from '../state.ts';
import { ALL, constant, isConstant, ONE, replaceBits, UNKNOWN, word, ZERO } from '../word.ts';

type Condition = (draft: Draft) => boolean | null;

const is = (bit: bigint): Condition => (draft) => flag(draft, bit);
const no = (condition: Condition): Condition => (draft) => {
  const value = condition(draft);
  return value === null ? null : !value;
};
const either = (a: Condition, b: Condition): Condition => (draft) => {
  const left = a(draft);
  const right = b(draft);
  return left === true || right === true ? true : left === null || right === null ? null : false;
};
const signDiffers: Condition = (draft) => {
  const sign = flag(draft, SF);
  const overflow = flag(draft, OF);
  return sign === null || overflow === null ? null : sign !== overflow;
};

/** Conditions by suffix (SDM vol. 1, "Condition Codes"), and the flag that a branch both ways then fixes. */
const CONDITIONS: readonly (readonly [names: readonly string[], holds: Condition, fixes: bigint | null])[] = [
  [['e', 'z'], is(ZF), ZF],
  [['ne', 'nz'], no(is(ZF)), ZF],
  [['b', 'c', 'nae'], is(CF), CF],
  [['ae', 'nb', 'nc'], no(is(CF)), CF],
  [['be', 'na'], either(is(CF), is(ZF)), null],
  [['a', 'nbe'], no(either(is(CF), is(ZF))), null],
  [['s'], is(SF), SF],
  [['ns'], no(is(SF)), SF],
  [['o'], is(OF), OF],
  [['no'], no(is(OF)), OF],
  [['p', 'pe'], is(PF), PF],
  [['np', 'po'], no(is(PF)), PF],
  [['l', 'nge'], signDiffers, null],
  [['ge', 'nl'], no(signDiffers), null],
  [['le', 'ng'], either(is(ZF), signDiffers), null],
  [['g', 'nle'], no(either(is(ZF), signDiffers)), null],
];

function conditional(holds: Condition, fixes: bigint | null, names: readonly string[]): (x: Execution) => readonly Draft[] {
  const negated = (names[0] ?? '').startsWith('n') || names[0] === 'ae';
  return (x) => {
    const taken = holds(x.draft);
    if (taken !== null) return goTo(x.draft, taken ? x.node.target : x.node.next, `jump to ${x.node.targetName ?? 'a place that is not in view'}`);
    const other = fork(x.draft);
    if (fixes !== null) {
      fix(x.draft, fixes, !negated);
      fix(other, fixes, negated);
    }
    return [...goTo(x.draft, x.node.target, `jump to ${x.node.targetName ?? 'a place that is not in view'}`), ...goTo(other, x.node.next, 'the code ends here')];
  };
}

/** Both ways where the flags do not say which. */
function conditionalMove(holds: Condition, fixes: bigint | null, names: readonly string[]): (x: Execution) => readonly Draft[] {
  const negated = (names[0] ?? '').startsWith('n') || names[0] === 'ae';
  const move = (x: Execution, moves: boolean): readonly Draft[] => {
    const [from, to] = x.node.operands;
    write(x, to, read(x, moves ? from : to));
    return proceed(x);
  };
  return (x) => {
    const moves = holds(x.draft);
    if (moves !== null) return move(x, moves);
    const other = { ...x, draft: fork(x.draft) };
    if (fixes !== null) {
      fix(x.draft, fixes, !negated);
      fix(other.draft, fixes, negated);
    }
    return [...move(x, true), ...move(other, false)];
  };
}

function fix(draft: Draft, bit: bigint, on: boolean): void {
  draft.flags = replaceBits(draft.flags, bit, bit, on ? bit : 0n);
}

/** Continues at the node a value points to; opaque targets are unknown. */
export function jumpTo(x: Execution, address: ReturnType<typeof read>): readonly Draft[] {
  const node = isConstant(address) ? nodeAtAddress(address.value) : null;
  if (node === null || x.setup.code.nodes[node] === undefined) return goTo(x.draft, null, `${x.node.text}: the target is not known`);
  return goTo(x.draft, node, '');
}

function jump(x: Execution): readonly Draft[] {
  const operand = x.node.operands[0];
  if (x.node.target === null && operand !== undefined) return jumpTo(x, read(x, operand, 8));
  return goTo(x.draft, x.node.target, `jump to ${x.node.targetName ?? 'a place that is not in view'}`);
}

function call(x: Execution): readonly Draft[] {
  if (x.node.target === null && x.node.operands.length === 0) {
    const routine = x.setup.routines?.get(x.node.targetName ?? '');
    if (routine !== undefined) {
      routine(x.draft, x.setup, x.node);
      return [x.draft];
    }
    return opaqueCall(x, `call of ${x.node.targetName ?? 'a function'}`);
  }
  const target = x.node.operands[0] === undefined ? null : read(x, x.node.operands[0], 8);
  if (target !== null && !isConstant(target)) return opaqueCall(x, `what ${x.node.text} calls`);
  if (x.node.next !== null) push(x.draft, x.setup, constant(addressOfNode(x.node.next, false)));
  if (target !== null && x.node.target === null) return jumpTo(x, target);
  return goTo(x.draft, x.node.target, 'the call has no target');
}

function opaqueCall(x: Execution, what: string): readonly Draft[] {
  x.draft.effects.push({ kind: 'unknown', what: `${what}, which is not in view` });
  for (const index of CALLER_SAVED) setRegister(x.draft, index, UNKNOWN);
  return proceed(x);
}

function returnNear(x: Execution): readonly Draft[] {
  const address = pop(x.draft, x.setup);
  return jumpTo(x, address);
}

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], faults: readonly string[], examples: readonly Example[]): InstructionRow {
  const stack = mnemonic === 'call' ? 'push' : mnemonic === 'ret' ? 'pop' : null;
  return { mnemonic, suffixed: mnemonic === 'ret' || mnemonic === 'call' || mnemonic === 'jmp', summary, section, faults, run, examples, ...(stack === null ? {} : { stack }) };
}

/** Flags under which the condition of the first of these suffixes holds, and under which it does not. */
const FLAGS_FOR: readonly (readonly [suffix: string, holds: Example['given'], fails: Example['given']])[] = [
  ['e', { ZF: 1n }, { ZF: 0n }],
  ['b', { CF: 1n }, { CF: 0n }],
  ['be', { CF: 0n, ZF: 1n }, { CF: 0n, ZF: 0n }],
  ['s', { SF: 1n }, { SF: 0n }],
  ['o', { OF: 1n }, { OF: 0n }],
  ['p', { PF: 1n }, { PF: 0n }],
  ['l', { SF: 1n, OF: 0n }, { SF: 1n, OF: 1n }],
  ['le', { ZF: 1n, SF: 0n, OF: 0n }, { ZF: 0n, SF: 1n, OF: 1n }],
];
const OPPOSITE: Readonly<Record<string, string>> = { ne: 'e', ae: 'b', a: 'be', ns: 's', no: 'o', np: 'p', ge: 'l', g: 'le' };

/** A jump is taken to `9:`, two instructions on; `taken` tells whether. */
function conditionExamples(names: readonly string[], code: string, given: Example['given'], result: string): readonly Example[] {
  const first = names[0] ?? '';
  const opposite = OPPOSITE[first];
  const found = FLAGS_FOR.find(([suffix]) => suffix === (opposite ?? first));
  if (found === undefined) return [];
  const [, holds, fails] = found;
  return [
    { code, given: { ...given, ...holds }, then: { [result]: opposite === undefined ? 1n : 0n } },
    { code, given: { ...given, ...fails }, then: { [result]: opposite === undefined ? 0n : 1n } },
  ];
}

export const CONTROL_ROWS: readonly InstructionRow[] = [
  row('jmp', 'continues at the target', 'JMP - Jump', jump, [], [{ code: 'jmp 9f', given: {}, then: { taken: 1n } }]),
  row('call', 'pushes the address of the next instruction and continues at the target', 'CALL - Call Procedure', call, ['SS', 'PF'], [{ code: 'call 9f', given: { rsp: 0x1000n }, then: { taken: 1n, rsp: 0xff8n } }]),
  row('ret', 'pops RIP; blocks and masks nothing and ends no NMI blocking (NMI-02)', 'RET - Return From Procedure', returnNear, ['SS', 'PF'], [{ code: 'ret', given: { rsp: 0x1000n }, then: { rsp: 0x1008n } }]),
  ...CONDITIONS.flatMap(([names, holds, fixes]) => names.map((name) => row(`j${name}`, `jumps where condition ${name} holds`, 'Jcc - Jump if Condition Is Met', conditional(holds, fixes, names), [], conditionExamples(names, `j${name} 9f`, {}, 'taken')))),
  ...CONDITIONS.flatMap(([names, holds]) =>
    names.map((name) =>
      row(
        `set${name}`,
        `sets the byte to condition ${name}`,
        'SETcc - Set Byte on Condition',
        (x) => {
          const value = holds(x.draft);
          write(x, x.node.operands[0], value === null ? word(ALL & ~1n, 0n, '') : value ? ONE : ZERO, 1);
          return proceed(x);
        },
        [],
        conditionExamples(names, `set${name} %al`, { rax: 0n }, 'rax'),
      ),
    ),
  ),
  ...CONDITIONS.flatMap(([names, holds, fixes]) =>
    names.map((name) => row(`cmov${name}`, `copies the source where condition ${name} holds; a 32-bit destination is zero-extended in any case`, 'CMOVcc - Conditional Move', conditionalMove(holds, fixes, names), ['PF', 'AC'], conditionExamples(names, `cmov${name} %rbx, %rax`, { rax: 0n, rbx: 1n }, 'rax'))),
  ),
];

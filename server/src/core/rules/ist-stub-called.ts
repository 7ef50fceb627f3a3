// XR-NMI10: a stub that lives off where it was entered on its IST stack is called like a function.
import { entryStub, handlerOfGp } from './path-examples.ts';
import { pathPlace } from './path-vocabulary.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { LINUX_IST, vectorOfName } from '../program/conventional-gates.ts';
import { vectorTitle } from '../machine/vectors.ts';

function inspect({ program }: Inspection): readonly Judgement[] {
  const out: Judgement[] = [];
  for (const node of program.code.nodes) {
    if (node.kind !== 'instruction' || !node.mnemonic.startsWith('call')) continue;
    const handler = program.handlers.find((one) => one.ist.value !== null && !one.synthesized && (one.stub === node.target || (node.target === null && one.stubName === node.targetName)));
    if (handler === undefined) {
      const name = node.targetName ?? '';
      const named = program.sketch && node.target === null && name.startsWith('asm_exc_') ? vectorOfName(name) : null;
      const ist = named === null ? undefined : LINUX_IST.get(named);
      if (named !== null && ist !== undefined) out.push({ place: pathPlace(node), message: `${node.text} enters the stub of ${vectorTitle(named)} on the caller's stack, and the stub relies on being at the top of the ${ist} stack; call an entry that uses no IST stack`, premises: [{ fact: `${name} is Linux's stub of ${vectorTitle(named)}, on the IST stack ${ist}`, place: null, assumed: true }] });
      continue;
    }
    out.push({ place: pathPlace(node), message: `${node.text} enters the stub of ${vectorTitle(handler.vector)} on the caller's stack, and the stub relies on being at the top of the ${handler.ist.value} stack; call an entry that uses no IST stack`, premises: [{ fact: `${vectorTitle(handler.vector)} uses the IST stack ${handler.ist.value}`, place: handler.ist.place, assumed: false }] });
  }
  return out;
}


const NMI = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

export const istStubCalled: Rule = {
  name: 'ist-stub-called',
  id: 'XR-NMI10',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'the stub of an IST vector is called by software',
  why: 'The stub of a vector with an IST stack may rely on RSP being at the top of that stack: words at fixed distances from it are its memory between two events. Called on any other stack it takes what lies there for that memory.',
  instead: 'Give software an entry of its own that asks nothing of the stack.',
  falsePositives: ['A stub that only happens to have an IST gate and uses nothing but what was pushed is still entered wrongly: an IST stub ends in a return to the interrupted stack.'],
  references: ['Linux commit a217a6593cec', 'semantics NMI-10'],
  bad: [{ title: 'The NMI stub as a function', files: { 'entry.S': `${entryStub({ placeholder: '\tpushq\t$-1\n', swap: '', unswap: '' })}\n\t.globl\tforward_nmi\nforward_nmi:\t#~ undeclared-handler\n\tcall\tasm_demo_gp #~ ist-stub-called\n\tret\n`, 'design.c': NMI } }],
  good: [{ title: 'An entry of its own', files: { 'entry.S': `${entryStub({ placeholder: '\tpushq\t$-1\n', swap: '', unswap: '' })}\n\t.globl\tforward_nmi\nforward_nmi:\n\tcall\tdemo_gp\n\tret\n`, 'design.c': NMI } }],
  judge: null,
  inspect,
  fix: null,
};

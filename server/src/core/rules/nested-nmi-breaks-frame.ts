// XR-NMI09: an NMI that interrupts the NMI stub breaks the frame of the first one, or is dropped. Found by the full
// exploration of the stub; judged where it runs.
import { nodesOf, reachedFrom } from './call-tree.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { pathPlace } from './path-vocabulary.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { vectorTitle } from '../machine/vectors.ts';

export const NESTED_NMI_RULE = 'nested-nmi-breaks-frame';

const NMI = 2;

/** A stub that keeps a marker below its frame but never clears it: every later NMI is taken for a nested one. */
function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.contexts.has('inside C')) return [];
  const handler = program.handlers.find((one) => one.vector === NMI && one.ist.value !== null && !one.synthesized);
  const stub = handler === undefined ? undefined : program.code.nodes[handler.stub];
  if (handler === undefined || stub === undefined) return [];
  const body = program.code.nodes.filter((node) => node.kind === 'instruction' && node.symbol === stub.symbol);
  // Labels inside a stub may be symbols of their own: the clear may stand behind one.
  const all = [...reachedFrom(program, stub.symbol)].flatMap((symbol) => nodesOf(program, symbol));
  const test = body.find((node) => node.kind === 'instruction' && node.mnemonic.startsWith('cmp') && node.operands.some((operand) => operand.kind === 'memory' && operand.base === 4 && operand.displacement < 0n));
  const clears = all.some((node) => node.kind === 'instruction' && node.mnemonic.startsWith('mov') && node.operands[0]?.kind === 'immediate' && node.operands[0].value === 0n && node.operands[1]?.kind === 'memory' && node.operands[1].base === 4);
  if (test === undefined || clears) return [];
  return [{ place: pathPlace(test), message: `${test.text} asks for a marker that the stub of ${vectorTitle(NMI)} never clears: after the first NMI every other is taken for a nested one and dropped; clear it right before the return`, premises: [] }];
}

const NMI_HANDLER = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

function stub(clear: string, mark: string): string {
  return entryStub({ clac: `	cmpl	$1, -8(%rsp)${mark}
	je	7f
`, placeholder: '\tpushq\t$1\n', swap: '', unswap: '', leave: `${clear}	addq	$8, %rsp
7:	iretq
` });
}

export const nestedNmiBreaksFrame: Rule = {
  name: NESTED_NMI_RULE,
  id: 'XR-NMI09',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'an NMI inside the NMI stub overwrites the frame of the first or is dropped',
  why: 'Every IRET in an NMI handler, that of a breakpoint or a page fault, lets the next NMI in. It starts over at the top of the same stack. The stub must recognise it from its first instruction to its last, by a marker, by the saved RIP, or by RSP with a flag that user space cannot set, and have the first NMI run again; and it must not take a first NMI for a nested one.',
  instead: 'Set the marker before anything may fault, keep a copy of the frame that no delivery reaches, and clear the marker last, with a second condition for the instructions behind that.',
  falsePositives: ['Stubs that leave the NMI stack at once, as Linux does from user mode.', 'FRED, which blocks NMIs until the return says otherwise.'],
  references: ['SDM vol. 3A, "Handling Multiple NMIs"', 'Linux, arch/x86/entry/entry_64.S', 'CVE-2015-3291', 'semantics NMI-02, NMI-06, NMI-07'],
  bad: [{ title: 'The marker is never cleared', files: { 'entry.S': stub('', ' #~ nested-nmi-breaks-frame'), 'design.c': NMI_HANDLER } }],
  good: [{ title: 'The marker is cleared before the return', files: { 'entry.S': stub('\tmovq\t$0, (%rsp)\n', ''), 'design.c': NMI_HANDLER } }],
  judge: null,
  inspect,
  fix: null,
};

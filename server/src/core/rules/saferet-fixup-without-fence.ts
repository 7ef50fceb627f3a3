// XR-SPC04: the repair of an interrupted safe return can be reached speculatively.
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isInstruction, pathPlace } from './path-vocabulary.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Inspection } from './rule.ts';
import type { Judgement, Rule } from './rule.ts';

const REPAIR = /^(handle_interrupted_saferet|__handle_intr_saferet\w*)$/;
const LOOK_BACK = 6;

/** The sequence is straight code behind the comparison: what matters is whether a fence stands in it. */
function inspect({ program }: Inspection): readonly Judgement[] {
  const out: Judgement[] = [];
  for (const node of program.code.nodes) {
    if (!isInstruction(node) || node.targetName === null || !REPAIR.test(node.targetName) || !node.mnemonic.startsWith('call')) continue;
    if (fencedBefore(program.code.nodes, node.id)) continue;
    out.push({ place: pathPlace(node), message: `${node.text} can be reached by a wrong prediction of the comparison before it: no fence stands in between; add lfence before the call`, premises: [] });
  }
  return out;
}

function fencedBefore(nodes: readonly CodeNode[], call: number): boolean {
  for (let at = call - 1; at >= call - LOOK_BACK; at -= 1) {
    const node = nodes[at];
    if (node === undefined || !isInstruction(node)) return false;
    if (node.mnemonic === 'lfence') return true;
    if (node.mnemonic.startsWith('j')) return false;
  }
  return false;
}


function stub(fence: string, mark: string): string {
  return entryStub({ swap: `	cmpq	$demo_return, 16*8(%rsp)
	jne	6f
${fence}	movq	%rsp, %rdi
	call	handle_interrupted_saferet${mark}
6:
`, unswap: '' });
}

export const saferetFixupWithoutFence: Rule = {
  name: 'saferet-fixup-without-fence',
  id: 'XR-SPC04',
  group: 'Speculation',
  severity: 'warning',
  summary: 'the repair of an interrupted safe return can be reached by a wrong prediction',
  why: 'The routine that repairs a return sequence which an event interrupted returns itself, and before the untraining that is what must not happen. A branch that is predicted to lead to it, wrongly, would run that return speculatively.',
  instead: 'LFENCE between the comparison of the saved RIP and the call.',
  falsePositives: ['CPUs without the safe return sequence.'],
  references: ['CVE-2023-20569', 'Linux, Documentation/admin-guide/hw-vuln/srso.rst'],
  bad: [{ title: 'Straight from the comparison to the call', files: { 'entry.S': stub('', ' #~ saferet-fixup-without-fence'), 'design.c': handlerOfGp } }],
  good: [{ title: 'A fence in between', files: { 'entry.S': stub('\tlfence\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  inspect,
  fix: null,
};

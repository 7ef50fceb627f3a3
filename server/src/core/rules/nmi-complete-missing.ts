// XR-NMI08: a guest whose hypervisor keeps NMIs blocked until it is told does not tell it on every path.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, entryPremise, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

const complete = /^(?:__)?sev_es_nmi_complete$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const inView = tree.functions.some((one) => complete.test(one.name));
  for (const entry of entriesOf(tree)) {
    if (!inView || entry.vector !== 'NMI' || entry.delivery !== 'idt' || entry.origin === 'user' || !entry.function.whole) continue;
    // It only hands on to a handler that is judged as its own entry.
    if (entry.function.graph().steps.some((step) => step.kind === 'call' && tree.resolve(step.name, entry.function.file)?.definedBy)) continue;
    watchProofs(tree, entry.function, [{ key: 'c', what: '', does: (step) => isCall(step, complete) }], {
      facts: factsOf(entry),
      at: (step, missing, where) => {
        if (step.kind !== 'return' || missing.length === 0 || where.calls.length > 0) return false;
        found.place(placeIn(tree, entry.function.file, entry.function.nameSpan), `${entry.function.name}() returns on a path without sev_es_nmi_complete(): under SEV-ES the hypervisor blocks all further NMIs of this CPU; call it first in the handler`, {
          premises: [entryPremise(tree, entry)],
          related: [{ place: placeIn(tree, entry.function.file, step.span), message: 'returns here' }],
        });
        return true;
      },
    });
  }
  for (const one of tree.functions) {
    if (!one.graph().steps.some(announces)) continue;
    watchProofs(tree, one, [{ key: 'g', what: '', does: exits }], {
      follow: (callee) => callee.graph().steps.some(exits),
      at: (step, missing, where) => {
        if (step.kind === 'return' && missing.length > 0 && where.calls.length === 0) found.at(step, where, 'the exit for the end of the NMI is prepared and never made on this path: the hypervisor keeps NMIs blocked; make the VMGEXIT');
        return false;
      },
    });
  }
  return found.all();
}

function exits(step: Step): boolean {
  return isCall(step, /vmgexit|hv_call/i) || (step.kind === 'asm' && /vmmcall/.test(step.template));
}

function announces(step: Step): boolean {
  return step.kind === 'call' && step.arguments.includes('SVM_VMGEXIT_NMI_COMPLETE');
}

const handler = (before: string, after: string, mark: string): string => `static __always_inline void sev_es_nmi_complete(void)
{
	if (static_branch_unlikely(&sev_es_enable_key))
		__sev_es_nmi_complete();
}

DEFINE_IDTENTRY_RAW(exc_nmi)${mark}
{
${before}	if (cpu_is_offline(smp_processor_id()))
		return;
${after}	count_nmi();
}
`;

export const nmiCompleteMissing = treeRule({
  name: 'nmi-complete-missing',
  id: 'XR-NMI08',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'the NMI handler of an SEV-ES guest does not tell the hypervisor on every path that NMIs may come again',
  why: 'Under SEV-ES the hypervisor cannot see the IRET that ends an NMI. It keeps NMIs blocked until the guest makes the NMI_COMPLETE exit: a path that returns without it has had its last NMI, the watchdog and perf stop, and a crash dump cannot stop this CPU.',
  instead: 'Call it as the first statement of the handler; nested NMIs that it lets in are handled by the nesting protocol.',
  falsePositives: ['Trees without the helper.', 'FRED, under which SEV-ES does not run.'],
  references: ['semantics VC-04', 'AMD APM vol. 2, "SEV-ES NMI handling"'],
  bad: [
    { title: 'After an early return', files: { 'nmi.c': handler('', '\tsev_es_nmi_complete();\n', ' //~ nmi-complete-missing') } },
    { title: 'Nowhere', files: { 'nmi.c': handler('', '', ' //~ nmi-complete-missing') } },
  ],
  good: [{ title: 'First', files: { 'nmi.c': handler('\tsev_es_nmi_complete();\n', '', '') } }],
  examine,
});

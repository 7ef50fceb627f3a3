// XR-FRD01: a FRED path runs code that is made for IDT delivery and its IST stacks.
import { isEntryCode, placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

const forIst = /^(?:(?:__)?sev_es_ist_(?:enter|exit)|__this_cpu_ist_(?:top|bottom)_va|vc_switch_off_ist)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const own = new Map(entriesOf(tree).flatMap((entry) => (entry.delivery === 'fred' ? [[entry.function.name.replace(/^fred_/, ''), entry] as const] : [])));
  for (const one of tree.functions) {
    if (!/^fred_|_fred_/.test(one.name)) continue;
    for (const step of one.graph().steps) {
      if (step.kind !== 'call' || step.indirect || !own.has(step.name) || one.name === `fred_${step.name}`) continue;
      found.at(step, { function: one, calls: [] }, `${step.name}() is the handler for IDT delivery: it decides by the IST stack and by the debug registers; call fred_${step.name}()`);
    }
    for (const step of one.graph().steps) {
      if (!isCall(step, /wrmsr/) || step.arguments[0] !== 'MSR_IA32_FRED_STKLVLS' || !/FRED_STKLVL\(/.test(step.text)) continue;
      const missing = ['DB', 'NMI', 'MC', 'DF'].filter((vector) => !step.text.includes(`X86_TRAP_${vector},`));
      if (missing.length > 0) found.at(step, { function: one, calls: [] }, `X86_TRAP_${missing.join(', X86_TRAP_')} has no stack level of its own: it is delivered on the stack that may be the cause of it, or overflows it; give it a level`, { severity: 'warning' });
    }
  }
  for (const entry of own.values()) {
    watchProofs(tree, entry.function, [], {
      facts: factsOf(entry),
      follow: (callee) => isEntryCode(callee),
      at: (step, _missing, where) => {
        if (isCall(step, forIst)) found.at(step, where, `${step.name}() is about IST stacks, which FRED does not have; keep it out of the FRED entry`, { premises: [{ fact: `${entry.function.name}() is entered by FRED`, place: placeIn(tree, entry.function.file, entry.function.nameSpan), assumed: false }] });
        return false;
      },
    });
  }
  return found.all();
}

const dispatcher = (call: string, mark: string): string => `DEFINE_FREDENTRY_NMI(exc_nmi)
{
	unsigned long cr2 = read_cr2();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	poll_sources(regs);
	irqentry_nmi_exit(regs, state);
	if (read_cr2() != cr2)
		write_cr2(cr2);
}

void fred_entry_from_kernel(struct pt_regs *regs)
{
	${call}(regs);${mark}
}
`;

export const istAssumptionUnderFred = treeRule({
  name: 'ist-assumption-under-fred',
  id: 'XR-FRD01',
  group: 'FRED',
  severity: 'info',
  summary: 'a FRED path runs a handler or a helper that is made for IST stacks',
  why: 'FRED does not rewind stacks, keeps CR2 and DR6 in the frame, and unblocks NMIs only where the frame says so. Code that reads an IST marker, shifts an IST entry or re-arms a guard because the stack is rewound does the wrong thing there.',
  instead: 'A body of its own with DEFINE_FREDENTRY_*, and stack levels for #DB, NMI, #MC and #DF.',
  falsePositives: ['Handlers that both deliveries share.'],
  references: ['semantics FR-03, FR-08'],
  bad: [{ title: 'The handler of the IDT', files: { 'fred.c': dispatcher('exc_nmi', ' //~ ist-assumption-under-fred') } }],
  good: [{ title: 'Its own', files: { 'fred.c': dispatcher('fred_exc_nmi', '') } }],
  examine,
  only64: true,
});

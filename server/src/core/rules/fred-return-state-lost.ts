// XR-FRD02: a FRED return frame is rewritten, and state that only the frame holds is lost or doubled.
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    softwareEventOf(tree, one, found);
    newTask(tree, one, found);
    const rewritten = one.graph().steps.flatMap((step) => (step.kind === 'store' && step.value.endsWith('->ssx') ? (/^(\w+)->ssx$/.exec(step.target)?.[1] ?? []) : []))[0];
    if (rewritten === undefined) continue;
    const store = (target: RegExp, value: RegExp) => (step: Step): boolean => step.kind === 'store' && target.test(step.target) && value.test(step.value);
    const copied = (field: string): ((step: Step) => boolean) => store(new RegExp(`^${rewritten}->${field}$`), /./);
    // The bit, or a variable that was given it.
    const bits = new Set([`${rewritten}->fred_ss.nmi`, ...one.graph().steps.flatMap((step) => (step.kind === 'store' && /^\w+$/.test(step.target) && step.value === `${rewritten}->fred_ss.nmi` ? [step.target] : []))]);
    const moved: Proof = { key: 'n', what: 'the NMI bit is moved to the frame that returns now', does: (step) => step.kind === 'store' && /^\w+->fred_ss\.nmi$/.test(step.target) && step.target !== `${rewritten}->fred_ss.nmi` && bits.has(step.value) };
    const ss: Proof = { key: 's', what: '', does: copied('ssx') };
    const cs: Proof = { key: 'c', what: '', does: copied('csx') };
    const cleared: Proof = { key: 'z', what: 'the NMI bit of the frame is cleared', does: store(new RegExp(`^${rewritten}->fred_ss\\.nmi$`), /^(?:0|false)$/), undoes: copied('ssx') };
    const level: Proof = { key: 'l', what: 'the stack level of the frame is 0', does: store(new RegExp(`^${rewritten}->fred_cs\\.sl$`), /^0$/), undoes: copied('csx') };
    const kept = new Set(one.graph().steps.flatMap((step) => (step.kind === 'store' && /^\w+$/.test(step.target) && new RegExp(`^${rewritten}->(?:cs|ss|fred_ss\\.ss)$`).test(step.value) ? [step.target] : [])));
    const selector = (key: string, field: string, copy: string): Proof => ({ key, what: `its ${field.toUpperCase()} is the one of user mode again`, does: (step) => step.kind === 'store' && new RegExp(`^${rewritten}->(?:\\w+\\.)?${field}$`).test(step.target) && kept.has(step.value), undoes: copied(copy) });
    const [userSs, userCs] = [selector('u', 'ss', 'ssx'), selector('v', 'cs', 'csx')];
    // A sketch that copies no event data anywhere leaves it out.
    const withInfo = tree.functions.some(({ name }) => name === 'fred_event_data') || one.graph().steps.some((step) => /\bedata\b/.test(step.text)) || !tree.design;
    const info: Proof = { key: 'e', what: 'its event data is that of the fault', does: (step) => step.kind === 'store' && new RegExp(`^fred_info\\(${rewritten}\\)->edata$`).test(step.target) };
    watchProofs(tree, one, [moved, ss, cs, cleared, level, userSs, userCs, info], {
      at: (step, missing, where) => {
        if (copied('ssx')(step) && missing.includes(moved)) {
          found.at(step, where, 'the SS word of the frame is overwritten before its NMI bit was moved to the frame that returns now: NMIs stay blocked, or are unblocked by the wrong return; move fred_ss.nmi first');
        }
        if (step.kind !== 'return') return false;
        const selectors = !tree.design || kept.size > 0;
        const owed = [...(missing.includes(ss) ? [] : [cleared, ...(selectors ? [userSs] : [])]), ...(missing.includes(cs) ? [] : [level, ...(selectors ? [userCs] : [])]), ...(missing.includes(ss) || missing.includes(cs) || !withInfo ? [] : [info])].filter((proof) => missing.includes(proof));
        if (owed.length > 0) found.at(step, where, `the frame is rewritten and not made one of user mode: it is still to be seen that ${owed.map(({ what }) => what).join(' and that ')}; ${owed.some((proof) => proof !== info) ? 'ERETU faults on it again or unblocks NMIs a second time' : 'the handler for user mode takes the data of an older event for that of this one'}`);
        return true;
      },
    });
  }
  return found.all();
}

/** The saved RIP goes back over the instruction of a software event: what the frame returns to is no longer behind it. */
function goesBack(step: Step): boolean {
  return step.kind === 'store' && step.target.endsWith('->ip') && step.operator === '-=' && step.value.endsWith('->fred_ss.insnlen');
}

/** A software event that is made a fault may not keep the bit that says it is one (FR-09). */
function softwareEventOf(tree: Tree, one: TreeFunction, found: Findings): void {
  const back = one.graph().steps.find(goesBack);
  if (back === undefined) return;
  const unmade: Proof = { key: 'b', what: '', does: goesBack };
  const cleared: Proof = { key: 'e', what: '', does: (step) => step.kind === 'store' && step.target.endsWith('->fred_ss.swevent') && /^(?:0|false)$/.test(step.value) };
  watchProofs(tree, one, [unmade, cleared], {
    at: (step, missing, where) => {
      if (step.kind === 'return' && !missing.includes(unmade) && missing.includes(cleared)) {
        found.at(back, where, 'a software event is made a fault and its frame still says that it is one: ERETU with TF set then raises #DB before the instruction that it goes back to, not behind it; clear fred_ss.swevent');
      }
      return false;
    },
  });
}

/** The frame of a new task is made and not delivered: it says itself that NMIs are unblocked, and that stepping starts behind it. */
function newTask(tree: Tree, one: TreeFunction, found: Findings): void {
  const made = one.graph().steps.find((step) => step.kind === 'store' && /^\w+->ssx$/.test(step.target) && /^\w+$/.test(step.value));
  const frame = made?.kind === 'store' ? made.target.slice(0, -'->ssx'.length) : null;
  if (made === undefined || frame === null || !one.graph().steps.some((step) => step.kind === 'store' && step.target === `${frame}->ip`)) return;
  const set = (key: string, field: string, what: string): Proof => ({ key, what, does: (step) => step.kind === 'store' && step.target === `${frame}->fred_ss.${field}` && /^(?:true|1)$/.test(step.value), undoes: (step) => step.kind === 'store' && step.target === `${frame}->ssx` });
  // What is asked on the way is the CPU: without FRED the bits mean nothing.
  const without: Proof = { key: 'w', what: '', test: (text, holds) => !holds && /X86_FEATURE_FRED\b/.test(text) };
  // Of a sketch nothing says whether the CPU that it asks for has FRED.
  const written = (tree.active(one.file) ?? '').slice(one.span.start, one.span.end);
  const delivers = tree.design ? written.includes('->fred_ss.') && !written.includes('X86_FEATURE_FRED') : tree.option('CONFIG_X86_FRED') && tree.functions.some(({ name }) => name === 'fred_event_data');
  if (!delivers) return;
  const bits = [set('n', 'nmi', 'the NMI bit of its frame is set: ERETU leaves NMIs blocked in user mode'), set('s', 'swevent', 'its frame is marked as a software event: a debugger that steps the task misses its first instruction')];
  watchProofs(tree, one, [...bits, without], {
    at: (step, missing, where) => {
      const owed = bits.filter((proof) => missing.includes(proof));
      if (step.kind === 'return' && missing.includes(without) && owed.length > 0) found.at(made, where, `a new task returns to user mode before ${owed.map(({ what }) => what).join(', and before ')}; set it behind the store to the SS word`);
      return false;
    },
  });
}

/** Instructions of entry by the IDT, which a CPU with FRED does not have (FR-10), and the return that may fault without a fixup. */
function judge(step: PathStep): readonly Judgement[] {
  const { node, setup, program } = step;
  if (!isInstruction(node) || setup.delivery !== 'fred' || step.start.door.kind === 'call' || !program.contexts.has('inside C')) return [];
  if (/^(?:swapgs|sysret|sysexit)/.test(node.mnemonic)) {
    return [{ place: pathPlace(node), message: `${node.text} raises #UD where FRED is enabled (${entered(step.start)}): FRED swaps the GS base itself, and only ERETU goes to user mode; keep it to the entries of the IDT`, premises: pathPremises(step) }];
  }
  if (!node.mnemonic.startsWith('eretu') || program.code.extable.some(({ fault }) => fault === node.id)) return [];
  return [{ place: pathPlace(node), message: `${node.text} has no entry in the exception table: it faults where user space made its selectors or RIP bad, and the fault is then one of the kernel, which dies of it; add the fixup that makes the fault one of user mode`, premises: pathPremises(step) }];
}

const fixup = (lines: string): string => `static bool fix_eretu(struct pt_regs *regs, struct pt_regs *uregs)
{
${lines}	uregs->csx = regs->csx;
	uregs->fred_cs.sl = 0;
	return true;
}
`;

const refused = (clear: string, mark: string): string => `static noinstr void refuse_int(struct pt_regs *regs)
{
	regs->ip -= regs->fred_ss.insnlen;${mark}
${clear}	exc_general_protection(regs, 0);
}
`;

const fresh = (nmi: string, mark: string): string => `static void start_task(struct pt_regs *regs, unsigned long ip, u16 cs, u16 ss)
{
	regs->ip = ip;
	regs->csx = cs;
	regs->ssx = ss;${mark}
	regs->fred_ss.swevent = true;
${nmi}	regs->flags = X86_EFLAGS_IF;
}
`;

export const fredReturnStateLost = treeRule({
  name: 'fred-return-state-lost',
  id: 'XR-FRD02',
  group: 'FRED',
  severity: 'error',
  summary: 'a FRED return frame is rewritten and its NMI bit, stack level or software event bit is left as it was',
  why: 'Under FRED only ERETU or ERETS with the NMI bit in its frame unblocks NMIs. When ERETU faults, the frame that had the bit becomes an ordinary frame for the fault: the bit must go to the frame that is returned from first, and be gone from the other. A frame of INT n that is turned into one of a fault keeps its software event bit unless it is cleared, and the return then steps too early.',
  instead: 'regs->fred_ss.nmi = uregs->fred_ss.nmi before the words are copied; afterwards clear the bit and the stack level in the rewritten frame. Clear fred_ss.swevent where the saved RIP goes back over the instruction.',
  falsePositives: ['Frames that are built anew.'],
  references: ['semantics FR-05, FR-06, FR-09'],
  bad: [
    { title: 'The bit is lost', files: { 'extable.c': fixup('\turegs->ssx = regs->ssx; //~ fred-return-state-lost\n\turegs->fred_ss.nmi = 0;\n') } },
    { title: 'A new task with NMIs blocked', files: { 'process.c': fresh('', ' //~ fred-return-state-lost') } },
    { title: 'A software event becomes a fault', files: { 'fred.c': refused('', ' //~ fred-return-state-lost') } },
  ],
  good: [
    { title: 'Moved', files: { 'extable.c': fixup('\tregs->fred_ss.nmi = uregs->fred_ss.nmi;\n\turegs->ssx = regs->ssx;\n\turegs->fred_ss.nmi = 0;\n') } },
    { title: 'A new task with NMIs unblocked', files: { 'process.c': fresh('\tregs->fred_ss.nmi = true;\n', '') } },
    { title: 'A fault in all words', files: { 'fred.c': refused('\tregs->fred_ss.swevent = 0;\n', '') } },
  ],
  examine,
  path: { at: ['system', 'return'], monitor: null, judge },
});

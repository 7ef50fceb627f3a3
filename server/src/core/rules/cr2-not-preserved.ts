// XR-NMI05: an NMI handler that may take a page fault leaves CR2 changed for the handler that it interrupted.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement, Rule } from './rule.ts';
import { entriesOf, entryPremise, findings, isAbout, isCall, watchEntry } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

type State = 'outside' | 'saved' | 'inside unsaved' | 'inside' | 'behind' | 'restored';

/** Ends what keeps the next NMI from running: behind it CR2 belongs to that one. */
const ending = /^(?:raw_|__)*this_cpu_(?:dec|dec_return|write)$/;

function endsNesting(step: Step): boolean {
  return isCall(step, ending) && /nmi_state/.test(step.arguments[0] ?? '') && (step.name.includes('dec') || /NOT_RUNNING/.test(step.arguments[1] ?? ''));
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const about = isAbout(tree, /cr2|\b(?:__|unsafe_)?(?:get|put)_user\w*\(|\bcopy_(?:from|to)_user|\bcopy_\w+_nmi\(|_nofault\(/i);
  for (const entry of about ? entriesOf(tree) : []) {
    if (entry.vector !== 'NMI' || entry.origin === 'user') continue;
    const premises = [entryPremise(tree, entry)];
    watchEntry<State>(tree, entry, 'outside', {
      follow: (callee) => callee.attributes.includes('__always_inline'),
      step: (step, state, where) => {
        if ((step.kind === 'call' || step.kind === 'store') && /\bread_cr2\(\)/.test(step.text) && step.text !== 'read_cr2()' && (state === 'outside' || state === 'restored')) return 'saved';
        if (isCall(step, /^(?:irqentry_)?nmi_enter$/)) {
          if (state === 'outside') {
            found.at(step, where, 'the NMI handler starts its work without having saved CR2, and a page fault in it changes the CR2 of an interrupted page fault; save it first with read_cr2()', { premises });
            return 'inside unsaved';
          }
          return 'inside';
        }
        if (isCall(step, /^(?:irqentry_)?nmi_exit$/)) return state === 'inside' ? 'behind' : 'outside';
        if (isCall(step, /^write_cr2$/)) return state === 'inside' || state === 'inside unsaved' ? state : 'restored';
        const returns = step.kind === 'return' && where.calls.length === 0;
        if ((returns || endsNesting(step)) && state === 'behind') {
          found.at(step, where, 'the NMI handler ends with the CR2 of its own page faults: the page fault that it interrupted reads a wrong address; write the saved CR2 back before this', { premises });
          return 'restored';
        }
        return state;
      },
      branch: (test, holds, state) => (state === 'behind' && holds && /\bread_cr2\(\)/.test(test.text) && test.text.includes('==') ? 'restored' : state),
    });
  }
  for (const one of tree.functions) savedForAll(tree, one, found);
  return found.all();
}

/** What an NMI saves of this CPU it does not keep in a word that all CPUs share. */
function savedForAll(tree: Tree, one: TreeFunction, found: Findings): void {
  if (!entryMacro.test(one.definedBy ?? '')) return;
  for (const step of one.graph().steps) {
    if (step.kind !== 'store' || step.operator !== '=' || !/^(?:local_db_save|read_cr2)\(\)$/.test(step.value) || !/^\w+$/.test(step.target)) continue;
    // In a mail that lost its tabs a local is declared in the first column too.
    const declares = new RegExp(`^(?:static[ \\t]+)?(?:unsigned long|u64|long)[ \\t]+${step.target}[ \\t]*[;=]`, 'gm');
    const global = [...(tree.active(one.file) ?? '').matchAll(declares)].some(({ index }) => tree.functions.every(({ file, span }) => file !== one.file || index < span.start || index >= span.end));
    if (global) found.at(step, { function: one, calls: [] }, `${step.target} is one word for all CPUs: an NMI on another CPU overwrites what this one has to bring back; make it per CPU, or a local`);
  }
}

const entryMacro = /^DEFINE_(?:IDTENTRY|FREDENTRY)/;

const handler = (before: string, after: string, mark: readonly [string, string]): string => `static DEFINE_PER_CPU(unsigned long, nmi_cr2);

DEFINE_IDTENTRY_RAW(exc_nmi)
{
	irqentry_state_t state;
	unsigned long dr7;
${before}
	dr7 = local_db_save();
	state = irqentry_nmi_enter(regs);${mark[0]}
	poll_sources(regs);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
${after}}${mark[1]}
`;
const save = '\n\tthis_cpu_write(nmi_cr2, read_cr2());';
const restore = `
	if (this_cpu_read(nmi_cr2) != read_cr2())
		write_cr2(this_cpu_read(nmi_cr2));
`;

export const cr2NotPreserved: Rule = {
  name: 'cr2-not-preserved',
  id: 'XR-NMI05',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'an NMI handler that may fault does not save CR2 first and restore it last',
  why: 'The processor writes CR2 at every page fault. An NMI may arrive after a page fault was delivered and before its handler has read CR2; a page fault inside the NMI handler, for instance by the copy of a user stack for perf, replaces the value, and the interrupted handler works on the wrong address.',
  instead: 'Read CR2 before anything in the NMI handler that may fault, and write it back at the end where it differs, before the state that lets the next NMI run is given up.',
  falsePositives: ['#DB and #MC handlers: they take no user access.', 'Under FRED the page fault has its address on its own frame; CR2 is still kept for a guest that is about to be entered.'],
  references: ['SDM vol. 3A, "Interrupt 14 - Page-Fault Exception"', 'semantics CR2-01, CR2-02'],
  bad: [
    { title: 'Not restored', files: { 'nmi.c': handler(save, '', ['', ' //~ cr2-not-preserved']) } },
    { title: 'Saved for all CPUs', files: { 'nmi.c': handler('\tnmi_cr2 = read_cr2(); //~ cr2-not-preserved\n', '\tif (nmi_cr2 != read_cr2())\n\t\twrite_cr2(nmi_cr2);\n', ['', '']).replace('DEFINE_PER_CPU(unsigned long, nmi_cr2)', 'unsigned long nmi_cr2') } },
    { title: 'Not saved', files: { 'nmi.c': handler('', '', [' //~ cr2-not-preserved', '']) } },
  ],
  good: [{ title: 'Saved first, restored last', files: { 'nmi.c': handler(save, restore, ['', '']) } }],
  judge: null,
  inspect: null,
  examine,
  fix: null,
};

// XR-VE19: a page that handlers share with the hypervisor is handed out while an interrupted handler still uses it.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/** The page of a per-CPU structure and its flag: `ghcb = &data->ghcb_page` and `data->ghcb_active`. */
interface Page {
  readonly variable: string;
  readonly flag: string;
  readonly backup: string;
}

function pageOf(one: TreeFunction): Page | null {
  for (const step of one.graph().steps) {
    const match = step.kind === 'store' ? /^&(\w+)->(\w+)_page$/.exec(step.value) : null;
    if (match !== null && step.kind === 'store') return { variable: step.target, flag: `${match[1]}->${match[2]}_active`, backup: `${match[1]}->backup_${match[2]}_active` };
  }
  return null;
}

const isTrue = (step: Step): boolean => step.kind === 'store' && /^(?:true|1)$/.test(step.value);
const isFalse = (step: Step): boolean => step.kind === 'store' && /^(?:false|0)$/.test(step.value);

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    forwards(tree, one, found);
    requests(tree, one, found);
    const page = pageOf(one);
    if (page === null || one.name.includes('setup') || one.name.includes('init')) continue;
    if (one.graph().steps.some((step) => step.kind === 'return' && step.value === page.variable)) handedOut(tree, one, page, found);
    else if (/(?:^|_)put_/.test(one.name)) {
      givenBack(tree, one, page, found);
      leftValid(tree, one, page, found);
    }
  }
  return found.all();
}

/** What forwards the event may enable interrupts and sleep: the page of this CPU is given back first. */
function forwards(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => isCall(step, /^(?:__)?sev_(?:es_)?get_ghcb$/)) || !steps.some((step) => isCall(step, /forward_exception$/))) return;
  watch<'free' | 'taken'>(tree, one, 'free', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind !== 'call') return state;
      if (/^(?:__)?sev_(?:es_)?get_ghcb$/.test(step.name)) return 'taken';
      if (/^(?:__)?sev_(?:es_)?put_ghcb$/.test(step.name)) return 'free';
      if (step.name.endsWith('forward_exception') && state === 'taken') found.at(step, where, `${step.name}() runs the handler of another exception, which may enable interrupts, while this one has the shared page: the next #VC, of another task too, finds it taken; give it back first`);
      return state;
    },
  });
}

// Letters: p the page, A its flag was seen set, F clear, B the backup's was seen clear, a/b a flag was set, c contents kept.
function handedOut(tree: Tree, one: TreeFunction, page: Page, found: Findings): void {
  watch<string>(tree, one, '', {
    follow: () => false,
    step: (step, state, where) => {
      const add = (key: string): string => (state.includes(key) ? state : state + key);
      if (step.kind === 'store') {
        if (step.target === page.variable) return 'p';
        if (step.target === page.flag && isTrue(step)) return add('a');
        if (step.target === page.backup && isTrue(step)) return add('b');
        if (step.value === `*${page.variable}`) {
          if (!state.includes('b')) found.at(step, where, 'the contents are kept in the backup before it is marked as used: an NMI in between finds it free, keeps the same contents there and marks it free again, and a second one overwrites them; mark it first');
          return add('c');
        }
      }
      if (step.kind !== 'return' || step.value !== page.variable || !state.includes('p')) return state;
      const has = (keys: string): boolean => [...keys].every((key) => state.includes(key));
      if (has('Fa') || has('ABbc')) return state;
      const what = has('A')
        ? `it is in use and ${has('B') ? '' : 'the backup was not asked for, '}${has('b') ? '' : 'the backup is not marked as used, '}${has('c') ? '' : 'its contents are not kept, '}`.replace(/, $/, '')
        : has('F') ? 'it is not marked as used' : `nobody asked ${page.flag}`;
      found.at(step, where, `the shared page is handed out although ${what}: a nested handler, for instance of #VC in an NMI, overwrites the request of the one that it interrupted; mark it while it is used and keep its contents where it already is`);
      return state;
    },
    branch: (test, holds, state) => {
      const key = test.text === page.flag ? (holds ? 'A' : 'F') : test.text === page.backup && !holds ? 'B' : '';
      return key === '' || state.includes(key) ? state : state + key;
    },
  });
}

function givenBack(tree: Tree, one: TreeFunction, page: Page, found: Findings): void {
  watch<string>(tree, one, '', {
    follow: () => false,
    step: (step, state, where) => {
      const add = (key: string): string => (state.includes(key) ? state : state + key);
      if (step.kind === 'store') {
        if (step.target === page.variable) return add('p');
        if (step.target === page.flag && isFalse(step)) return add('a');
        if (step.target === page.backup && isFalse(step)) return add('b');
        if (step.target === `*${page.variable}`) {
          if (state.includes('b')) found.at(step, where, 'the backup is marked as free before its contents were taken back: an NMI in between overwrites them, and the interrupted handler goes on with the request of the NMI; take them first');
          return add('c');
        }
      }
      if (step.kind === 'return' && state.includes('p') && !state.includes('a') && !(state.includes('b') && state.includes('c'))) {
        found.at(step, where, `the shared page is given back on this path without ${state.includes('b') ? 'its contents being restored' : state.includes('c') ? 'the backup being marked as free' : 'its flag being cleared'}: it stays taken, or the interrupted handler goes on with the data of this one; undo on each path what was done when it was handed out`);
      }
      return state;
    },
  });
}

const invalidates = /ghcb_invalidate$/;

/** A page that is free has no request in it: VMGEXIT of user mode would send it again. */
function leftValid(tree: Tree, one: TreeFunction, page: Page, found: Findings): void {
  if (!tree.functions.some(({ name }) => invalidates.test(name))) return;
  watch<'valid' | 'void'>(tree, one, 'valid', {
    follow: () => false,
    step: (step, state, where) => {
      if (isCall(step, invalidates)) return 'void';
      if (step.kind === 'store' && step.target === `*${page.variable}`) return 'valid';
      if (step.kind === 'store' && step.target === page.flag && isFalse(step) && state === 'valid') found.at(step, where, 'the shared page is given back with its last request still valid: VMGEXIT, which programs may execute, sends it to the hypervisor once more; invalidate it first');
      return state;
    },
  });
}

// g a page that was handed out and not emptied, s a request is written, m the hypervisor was told where.
function requests(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const takes = (step: Step): boolean => step.kind === 'store' && /^(?:__)?sev_(?:es_)?get_ghcb\(/.test(step.value);
  const writes = /^ghcb_set_sw_exit_code$/;
  if (!steps.some((step) => takes(step) || isCall(step, writes)) || !tree.functions.some(({ name }) => invalidates.test(name))) return;
  watch<string>(tree, one, '', {
    follow: () => false,
    step: (step, state, where) => {
      if (takes(step)) return 'g';
      if (isCall(step, invalidates)) return state.replace('g', '');
      if (isCall(step, writes)) {
        if (state.includes('g')) found.at(step, where, 'a request is written over what an older one left in the shared page: its registers are still marked as valid, and the hypervisor reads and writes them; invalidate the page first');
        return state.includes('s') ? state : `${state}s`;
      }
      if (isCall(step, /^sev_es_wr_ghcb_msr$/)) return state.includes('m') ? state : `${state}m`;
      if (isCall(step, /^VMGEXIT$/) && state.includes('s') && !state.includes('m')) found.at(step, where, 'VMGEXIT before the MSR says where the shared page is: the hypervisor takes what was written there last, a request of the MSR protocol or another page; write the address of this one first');
      return state;
    },
    // A caller may have written the MSR.
    branch: (test, _holds, state) => (/msr/i.test(test.text) && !state.includes('m') ? `${state}m` : state),
  });
}

const put = (empty: string, mark: string): string => `static void page_ghcb_invalidate(struct page_state *page)
{
	memset(page->valid, 0, sizeof(page->valid));
}

static void put_page_of(struct runtime *data, struct page_state *kept)
{
	struct page_state *page = &data->demo_page;

	if (kept) {
		*page = *kept;
		data->backup_demo_active = false;
	} else {
${empty}		data->demo_active = false;${mark}
	}
}
`;

const take = (condition: string, mark: string): string => `static struct page_state *get_page_of(struct runtime *data, struct page_state *kept)
{
	struct page_state *page = &data->demo_page;

	if (${condition}) {
		if (data->backup_demo_active)
			panic("both in use");
		data->backup_demo_active = true;
		*kept = *page;
	} else {
		data->demo_active = true;
	}
	return page;${mark}
}
`;

const forward = (early: string, late: string): string => `static void handle_event(struct em_context *ctxt)
{
	struct ghcb_state state;
	struct ghcb *ghcb = __sev_get_ghcb(&state);

	emulate(ctxt, ghcb);
${early}	__sev_put_ghcb(&state);
${late}}
`;

export const sharedPageNotGuarded = treeRule({
  name: 'shared-page-not-guarded',
  id: 'XR-VE19',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a page shared with the hypervisor is handed to a nested handler while it is in use',
  why: 'There is one GHCB a CPU. An NMI may interrupt the #VC handler between writing its request and VMGEXIT and need the page itself. Only the flag that says that it is in use, and the backup of its contents, keep the interrupted request.',
  instead: 'Test the flag first; where it is set, keep the contents in the backup page, and panic where that is in use too; undo the same on the way out.',
  falsePositives: ['Code that sets the page up before any handler can run.'],
  references: ['semantics VC-05'],
  bad: [{ title: 'Given back with its request', files: { 'sev.c': put('', ' //~ shared-page-not-guarded') } }, { title: 'Forwarded while it is taken', files: { 'sev.c': forward('\tvc_forward_exception(ctxt); //~ shared-page-not-guarded\n', '') } }, { title: 'The flag is not asked', files: { 'sev.c': take('0', ' //~ shared-page-not-guarded') } }],
  good: [{ title: 'Given back empty', files: { 'sev.c': put('\t\tpage_ghcb_invalidate(page);\n', '') } }, { title: 'Given back first', files: { 'sev.c': forward('', '\tvc_forward_exception(ctxt);\n') } }, { title: 'Asked and kept', files: { 'sev.c': take('data->demo_active', '') } }],
  examine,
});

// The verdicts of the designs against the arguments about them, the README's table, and that no verdict is stored: one
// line changed changes it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { starts } from '../../cli/review.ts';
import { broken, design, designNames, edited, open, runs, runsOf, verdictOf } from '../../testing/review.ts';
import type { Edit, Opened } from '../../testing/review.ts';
import { verdictTable } from '../render/table.ts';
import type { RunReport, Trace } from '../review-types.ts';

type Expected =
  | 'holds'
  /** A frame is lost, or an event return goes to the wrong place. */
  | 'overwritten'
  /** The re-entrancy word stays set when all is quiet. */
  | 'disarmed for ever'
  | 'frame on the user stack'
  | 'word consumed'
  /** The scenario does not apply, or an annotation rules its start out. */
  | 'not run';

/** What the scenarios say of a property that is broken. */
const propertyOf: ReadonlyMap<string, Expected> = new Map([
  ['live-frame-overwritten', 'overwritten'],
  ['guard-busy-at-quiescence', 'disarmed for ever'],
  ['frame-on-user-stack', 'frame on the user stack'],
  ['word-consumed-by-nested', 'word consumed'],
]);

interface Row {
  readonly task: Expected;
  readonly nmi: Expected;
  readonly gap: Expected;
  /** The row of the strategy table (semantics 8.4), or the section of docs/designs.md, and what it says. */
  readonly from: string;
  /** What must have been seen short of a violation, in any run of the perf NMI. */
  readonly seen?: RegExp;
}

const designs: Readonly<Record<string, Row>> = {
  'clear-on-ist-early': { task: 'overwritten', nmi: 'overwritten', gap: 'overwritten', from: '8.4 clear W on IST, then more accesses: IST frame overwritten from both starts' },
  'clear-on-ist-last': { task: 'overwritten', nmi: 'overwritten', gap: 'overwritten', from: '8.4 clear W on IST as last store before IRET: overwritten, needs an NMI in the window' },
  'self-ipi': { task: 'holds', nmi: 'holds', gap: 'holds', from: '8.4 self-IPI, IF=0 on IST: safe; second failure in the same NMI = VM-exit fallback', seen: /#VE while ve_page\.busy was busy: vmexit/ },
  'self-ipi-irqs-on': { task: 'overwritten', nmi: 'overwritten', gap: 'overwritten', from: '8.4 self-IPI but IRQs enabled on IST: overwritten' },
  'never-rearmed': { task: 'disarmed for ever', nmi: 'disarmed for ever', gap: 'disarmed for ever', from: '8.4 never re-armed: disarmed forever, no corruption' },
  'rearm-in-extable-handler': { task: 'overwritten', nmi: 'overwritten', gap: 'overwritten', from: '8.4 re-arm in extable handler on IST: overwritten (VE-24)' },
  'rearm-at-landing-pad': { task: 'holds', nmi: 'holds', gap: 'holds', from: '8.4 re-arm at extable landing pad: safe' },
  'move-off-ist-checked': { task: 'holds', nmi: 'holds', gap: 'holds', from: '8.4 move frame off IST first: safe if the interrupted stack is trustworthy; designs.md: the gap included' },
  'no-ist-early-arm': { task: 'holds', nmi: 'holds', gap: 'not run', from: '8.4 no IST, arm early: safe if #VE is impossible in entry windows, which an annotation promises' },
  'fred-stack-level': { task: 'holds', nmi: 'holds', gap: 'holds', from: '8.4 FRED stack level: safe' },
  'switch-from-user': { task: 'holds', nmi: 'holds', gap: 'holds', from: 'designs.md: clears at once only where the frame has moved; second failure is a VM exit', seen: /vmexit/ },
  'switch-to-interrupted': { task: 'holds', nmi: 'holds', gap: 'frame on the user stack', from: 'the mail: there might not be a kernel stack; VE-20' },
  'frame-duplication': { task: 'overwritten', nmi: 'overwritten', gap: 'overwritten', from: 'designs.md: one instruction remains, a nested #VE there comes from an NMI on the IRET' },
  'panic-irqs-off': { task: 'holds', nmi: 'holds', gap: 'holds', from: 'the mail: kill the guest; designs.md: the guest ends at the first failure of an NMI', seen: /kill_guest\(\) ends a path/ },
  'plain-nmi': { task: 'holds', nmi: 'overwritten', gap: 'holds', from: 'designs.md: needs a second NMI after the first #VE of an NMI, a budget of two (NMI-02)' },
  'apf-flags-word': { task: 'word consumed', nmi: 'not run', gap: 'not run', from: 'APF-05: the NMI takes a real #PF, whose handler eats the word' },
  'apf-flags-checked': { task: 'holds', nmi: 'not run', gap: 'not run', from: 'APF-05: user_mode(regs) is tested before the word' },
  'mc-mcip-cleared-on-ist': { task: 'holds', nmi: 'overwritten', gap: 'not run', from: 'MC-02: the race needs a recoverable #MC, which a task start has only in the NMI; elsewhere the kernel panics' },
};

const scenarios = {
  task: ['ve-in-task', 'mc-then-mc-in-tail', 'apf-flags-stolen-by-nmi'],
  nmi: ['perf-nmi-user-copy-fails-twice', 'perf-nmi-mc-twice'],
  gap: ['ve-in-syscall-gap'],
} as const;

interface Reviewed {
  readonly opened: Opened;
  readonly reports: readonly RunReport[];
}

const reviewed = new Map<string, Reviewed>();

function reportsOf(name: string, of: keyof typeof scenarios): readonly RunReport[] {
  const wanted: readonly string[] = scenarios[of];
  return reviewed.get(name)?.reports.filter(({ scenario }) => wanted.includes(scenario)) ?? [];
}

function outcome(reports: readonly RunReport[]): string {
  if (reports.length === 0) return 'not run';
  const properties = broken(reports).map((property) => propertyOf.get(property) ?? property);
  return properties.length === 0 ? verdictOf(reports) : properties.join(' and ');
}

describe('the designs', () => {
  before(async function () {
    this.timeout(120_000);
    for (const name of designNames) {
      const opened = await open(design(name), name);
      const apply = opened.review.scenarios(opened.folder).map((scenario) => scenario.name);
      const wanted = Object.values(scenarios).flat().filter((scenario) => apply.includes(scenario));
      reviewed.set(name, { opened, reports: wanted.flatMap((scenario) => runs(opened, scenario)) });
    }
  });
  after(() => {
    for (const { opened } of reviewed.values()) opened.review.release();
  });

  it('all have a row', () => {
    assert.deepEqual(designNames, Object.keys(designs).sort());
  });

  for (const [name, row] of Object.entries(designs)) {
    it(`${name}: task ${row.task}, perf NMI ${row.nmi}, gap ${row.gap} (${row.from})`, () => {
      const found = { task: outcome(reportsOf(name, 'task')), nmi: outcome(reportsOf(name, 'nmi')), gap: outcome(reportsOf(name, 'gap')) };
      assert.deepEqual(found, { task: row.task, nmi: row.nmi, gap: row.gap });
      if (row.seen !== undefined) assert.match(reportsOf(name, 'nmi').flatMap(({ remarks }) => remarks).join('\n'), row.seen);
    });
  }

  it('no run hits a bound of states', () => {
    const hit = [...reviewed.values()].flatMap(({ reports }) => reports).filter(({ boundsHit }) => boundsHit.some((bound) => bound.endsWith('states')));
    assert.deepEqual(hit.map(({ design: name, scenario }) => `${name} ${scenario}`), []);
  });

  it('the README lists what the review of the designs finds', () => {
    const readme = readFileSync('README.md', 'utf8');
    const table = verdictTable(new Map([...reviewed].map(([name, { reports }]) => [name, reports])), starts);
    const [head, rest] = readme.split('<!-- verdicts -->\n');
    const tail = rest?.split('<!-- /verdicts -->')[1];
    assert.ok(head !== undefined && tail !== undefined, 'README.md has no pair of verdicts marks');
    const written = `${head}<!-- verdicts -->\n${table.join('\n')}\n<!-- /verdicts -->${tail}`;
    if (process.env['UPDATE'] === '1') {
      assert.notEqual(process.env['CI'], 'true', 'the README is not rewritten in CI: unset UPDATE');
      writeFileSync('README.md', written);
    } else assert.equal(readme, written, 'README.md differs: review the difference, then UPDATE=1 npm run mocha');
  });

  describe('every trace of a violation', () => {
    const traces = (): readonly { readonly report: RunReport; readonly trace: Trace }[] =>
      [...reviewed.values()].flatMap(({ reports }) => reports.flatMap((report) => [...(report.trace === null ? [] : [report.trace]), ...report.findings.flatMap((finding) => finding.trace ?? [])].map((trace) => ({ report, trace }))));
    const say = ({ report }: { readonly report: RunReport }): string => `${report.design} ${report.scenario} from ${report.start}`;

    it('is there', () => {
      const all = [...reviewed.values()].flatMap(({ reports }) => reports);
      assert.deepEqual(all.filter((report) => (report.verdict === 'violated') !== (report.trace !== null)).map((report) => say({ report })), []);
      assert.ok(traces().length > 20);
    });

    it('has at most 20 key steps, each with a place in the unit or its headers, and covers its whole key', () => {
      for (const each of traces()) {
        const { steps, choices } = each.trace;
        assert.ok(steps.length > 0 && steps.length <= 20, `${say(each)}: ${steps.length} steps`);
        // A choice is one machine step, and those behind it that leave no choice.
        assert.ok(steps.reduce((sum, step) => sum + step.steps, 0) >= choices.length, say(each));
        for (const step of steps) {
          const review = reviewed.get(each.report.design)?.opened.review;
          // Outside the code under review nothing has a place: what runs there is an interrupted context.
          if (step.place === null) assert.match(step.symbol, /^(user|kernel|kernel-irqs-off|gap)$/, `${say(each)}: ${step.title}`);
          else assert.ok((review?.text(step.place.file) ?? '').length >= step.place.span.end, `${say(each)}: ${step.title}`);
        }
      }
    });

    it('says of each field from what to what it changes, without a gap', () => {
      for (const each of traces()) {
        const now = new Map<string, string>();
        for (const { field, from, to } of each.trace.steps.flatMap((step) => step.changed)) {
          assert.notEqual(from, to, `${say(each)}: ${field}`);
          assert.equal(from, now.get(field) ?? from, `${say(each)}: ${field}`);
          now.set(field, to);
        }
      }
    });

    it('says whose stack pointer it is that a handler goes on with', () => {
      const titles = traces().filter(({ report }) => report.design === 'switch-to-interrupted').flatMap(({ trace }) => trace.steps.map(({ title }) => title));
      assert.ok(titles.some((title) => title.endsWith('switches from the VE stack to a stack pointer that user space chose')), titles.join('\n'));
    });

    it('is told again by its replay key', () => {
      for (const { report, trace } of traces()) {
        const { review, folder } = reviewed.get(report.design)?.opened ?? assert.fail();
        assert.deepEqual(review.replay(folder, report.scenario, report.start, trace.choices), trace);
      }
    });

    it('is no longer than that of any finding of its run that breaks the same', () => {
      for (const { report } of traces()) {
        const shortest = report.trace?.choices.length ?? Infinity;
        for (const finding of report.findings.filter(({ rule }) => rule === 'guard-cleared-on-rewinding-stack')) assert.ok(shortest <= (finding.trace?.choices.length ?? 0), say({ report }));
      }
    });
  });
});

interface Mutation {
  readonly title: string;
  readonly design: string;
  readonly edits: readonly Edit[];
  readonly scenario: string;
  /** Before and after. */
  readonly was: Expected;
  readonly becomes: Expected;
}

const c = (from: string, to: string): Edit => ({ file: 'design.c', from, to });
const s = (from: string, to: string): Edit => ({ file: 'entry.S', from, to });
const task = 've-in-task';

const mutations: readonly Mutation[] = [
  { title: 'no IPI: nobody re-arms', design: 'self-ipi', edits: [c('\tapic_self_ipi(VE_REARM_VECTOR);\n', '')], scenario: task, was: 'holds', becomes: 'disarmed for ever' },
  { title: 'the IPI handler does not clear the word', design: 'self-ipi', edits: [c('\tthis_cpu_write(ve_page.busy, 0);\n', '')], scenario: task, was: 'holds', becomes: 'disarmed for ever' },
  { title: 'the handler clears the word itself', design: 'self-ipi', edits: [c('\tapic_self_ipi(VE_REARM_VECTOR);', '\tve->busy = 0;')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'interrupts stay off', design: 'self-ipi-irqs-on', edits: [c('\tlocal_irq_enable();\n', '')], scenario: task, was: 'overwritten', becomes: 'holds' },
  { title: 'the early store deleted', design: 'clear-on-ist-early', edits: [c('\tWRITE_ONCE(ve->busy, 0);\n', '')], scenario: task, was: 'overwritten', becomes: 'disarmed for ever' },
  { title: 'the early store writes the busy value', design: 'clear-on-ist-early', edits: [c('WRITE_ONCE(ve->busy, 0);', 'WRITE_ONCE(ve->busy, 1);')], scenario: task, was: 'overwritten', becomes: 'disarmed for ever' },
  { title: 'the early arming handler on a stack that does not rewind', design: 'clear-on-ist-early', edits: [c('ISTG(X86_TRAP_VE,\tasm_exc_ve,\tIST_INDEX_VE)', 'INTG(X86_TRAP_VE,\tasm_exc_ve)')], scenario: task, was: 'overwritten', becomes: 'holds' },
  { title: 'the early arming handler given an IST stack', design: 'no-ist-early-arm', edits: [c('INTG(X86_TRAP_VE,\tasm_exc_ve)', 'ISTG(X86_TRAP_VE,\tasm_exc_ve,\tIST_INDEX_VE)')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'no promise about the SYSCALL gap', design: 'no-ist-early-arm', edits: [c(' * xctx: never-in gap vectors=VE -- the host never takes away entry text, entry data or stacks\n', '')], scenario: 've-in-syscall-gap', was: 'not run', becomes: 'frame on the user stack' },
  { title: 're-arming in the handler in place of the IPI', design: 'rearm-at-landing-pad', edits: [c('\tapic_self_ipi(VE_REARM_VECTOR);', '\tve->busy = 0;')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'interrupts enabled on the IST stack', design: 'self-ipi', edits: [c('\tve_handle(regs, ve->gla, ve->gpa);', '\tlocal_irq_enable();\n\tve_handle(regs, ve->gla, ve->gpa);')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'the landing pad re-arms nothing', design: 'rearm-at-landing-pad', edits: [s('\tmovl\t$0, PER_CPU_VAR(ve_page + 4)\n', '\tnop\n')], scenario: task, was: 'holds', becomes: 'disarmed for ever' },
  { title: 'the word cleared whatever was interrupted', design: 'switch-from-user', edits: [c('\tif (user_mode(regs))', '\tif (1)')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'the SYSCALL gap not refused', design: 'move-off-ist-checked', edits: [c('\tif (in_syscall_gap(regs))\n\t\treturn this_cpu_read(top_of_stack);\n', '\tif (in_syscall_gap(regs))\n\t\treturn sp;\n')], scenario: 've-in-syscall-gap', was: 'holds', becomes: 'frame on the user stack' },
  { title: 'the word cleared in place of the panic', design: 'panic-irqs-off', edits: [c('\tapic_self_ipi(VE_REARM_VECTOR);', '\tve->busy = 0;')], scenario: task, was: 'holds', becomes: 'overwritten' },
  { title: 'origin tested before the word of the host', design: 'apf-flags-checked', edits: [c('user_mode(regs) && apf_consume_flags()', 'apf_consume_flags() && user_mode(regs)')], scenario: 'apf-flags-stolen-by-nmi', was: 'holds', becomes: 'word consumed' },
];

describe('one line of a design', () => {
  for (const { title, design: name, edits, scenario, was, becomes } of mutations) {
    it(`${name}, ${title}: ${was} becomes ${becomes} in ${scenario}`, async function () {
      this.timeout(60_000);
      const known = reviewed.get(name)?.reports.filter((report) => report.scenario === scenario) ?? [];
      assert.equal(outcome(known), was);
      assert.equal(outcome(await runsOf(edited(design(name), edits), scenario)), becomes);
    });
  }
});

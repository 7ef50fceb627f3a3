// What the rules say of the designs: each root cause once, at the line that docs/designs.md argues about, and nothing of
// the designs that stand.
import assert from 'node:assert/strict';
import { design, designNames, open } from '../../testing/review.ts';
import { lineOf, reviewFolder } from './examples.test-data.ts';

/** Rule and the text of its line; every other design has no finding. */
const spoken: Readonly<Record<string, readonly string[]>> = {
  'apf-flags-word': ['one-slot-word-consumed-by-nested: this_cpu_write(apf_reason.flags, 0);'],
  'clear-on-ist-early': ['guard-cleared-on-rewinding-stack: WRITE_ONCE(ve->busy, 0);'],
  'clear-on-ist-last': ['guard-cleared-on-rewinding-stack: WRITE_ONCE(ve->busy, 0);'],
  'frame-duplication': ['guard-cleared-on-rewinding-stack: movl	$0, PER_CPU_VAR(ve_page + 4)'],
  'mc-mcip-cleared-on-ist': ['guard-cleared-on-rewinding-stack: wrmsrl(MSR_IA32_MCG_STATUS, 0);'],
  'never-rearmed': ['guard-never-rearmed: DEFINE_IDTENTRY_IST(exc_ve)'],
  'plain-nmi': ['iret-in-nmi-needs-nesting: SYM_CODE_START(asm_exc_nmi)'],
  'rearm-in-extable-handler': ['extable-rearm-on-rewinding-stack: this_cpu_write(ve_page.busy, 0);'],
  'self-ipi-irqs-on': ['rearm-lands-on-live-frame: local_irq_enable();'],
  'switch-to-interrupted': ['unsafe-switch-off-ist: movq	%rax, %rsp'],
};

/** The scenarios in which the designs differ. */
const decisive = ['ve-in-task', 'perf-nmi-user-copy-fails-twice', 'perf-nmi-mc-twice', 've-in-syscall-gap', 'apf-flags-stolen-by-nmi'];

describe('what the rules say of the designs', () => {
  for (const name of designNames) {
    it(`${name}: ${spoken[name]?.length === undefined ? 'nothing' : 'its one root cause'}`, async function () {
      this.timeout(120_000);
      const files = design(name);
      const { review, folder, path } = await open(files, name);
      const { findings, lost } = reviewFolder(review, folder, [...files.keys()].map(path), decisive);
      const said = findings.map(({ rule, place }) => {
        const text = review.text(place.file) ?? '';
        return `${rule}: ${text.split('\n')[lineOf(text, place.span.start) - 1]?.trim() ?? ''}`;
      });
      review.release();
      assert.deepEqual(said, spoken[name] ?? []);
      assert.deepEqual(lost, [], 'the editor keeps all');
    });
  }
});

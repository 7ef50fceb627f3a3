// What an allow annotation takes out: findings of its rule in the next statement or function, and nothing else.
import assert from 'node:assert/strict';
import { guardedWord } from './example-text.ts';
import { reviewFiles, spokenOf } from './examples.test-data.ts';

function design(aboveFunction: string, aboveStore: string, aboveCount: string): string {
  return `${guardedWord('immediate')}
static u64 count;

/* xctx: handler vector=VE ist=VE */
${aboveFunction}
void demo_ve(struct pt_regs *regs)
{
	${aboveStore}
	this_cpu_write(ve_page.busy, 0);
	${aboveCount}
	count++;
}
`;
}

const allow = (rule: string): string => `/* xctx: allow ${rule} -- known */`;

const cases: readonly { readonly title: string; readonly text: string; readonly spoken: readonly string[] }[] = [
  { title: 'by catalogue id, at the statement', text: design('', allow('XR-VE01'), ''), spoken: [] },
  { title: 'by name, at the statement', text: design('', allow('guard-cleared-on-rewinding-stack'), ''), spoken: [] },
  { title: 'at the function', text: design(allow('XR-VE01'), '', ''), spoken: [] },
  { title: 'not at another statement', text: design('', '', allow('XR-VE01')), spoken: ['design.c:15 guard-cleared-on-rewinding-stack', 'design.c:16 unused-suppression'] },
  { title: 'not another rule', text: design('', allow('XR-VE03'), ''), spoken: ['design.c:14 unused-suppression', 'design.c:15 guard-cleared-on-rewinding-stack'] },
  { title: 'no rule of that name', text: design('', allow('XR-VE99'), ''), spoken: ['design.c:14 unused-suppression', 'design.c:15 guard-cleared-on-rewinding-stack'] },
];

describe('an allow annotation', () => {
  for (const { title, text, spoken } of cases) {
    it(title, async () => {
      const files = { 'design.c': text };
      const { findings } = await reviewFiles(files);
      assert.deepEqual(spokenOf(findings, files), spoken);
    });
  }

  it('covers a whole stub in assembler', async () => {
    const stub = (above: string): string => `${above}.globl asm_demo_ve\nasm_demo_ve:\n\tmovl\t$0, %gs:(ve_page + 4)(%rip)\n\tiretq\n`;
    const files = (above: string) => ({
      'entry.S': stub(above),
      'design.c': `${guardedWord('immediate')}static u64 count;\n/* xctx: handler vector=NMI */\n/* xctx: never-in gap vectors=NMI,VE -- not what this is about */\nvoid demo_nmi(struct pt_regs *regs)\n{\n\tcount++;\n}\n`,
    });
    const declared = '/* xctx: handler vector=VE ist=VE */\n';
    const said = async (above: string): Promise<readonly string[]> => (await reviewFiles(files(above))).findings.map(({ rule }) => rule);
    const without = await said(declared);
    assert.ok(without.includes('guard-cleared-on-rewinding-stack'));
    assert.deepEqual(await said(`${declared}${allow('XR-VE01')}\n`), without.filter((rule) => rule !== 'guard-cleared-on-rewinding-stack'));
  });
});

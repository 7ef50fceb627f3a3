// Fixes are offered where they mend: tried on the texts as they are, with all else that is wrong there.
import assert from 'node:assert/strict';
import { entryStub, handlerOfGp } from '../rules/path-examples.ts';
import { finished, open } from '../../testing/review.ts';
import type { Fix } from '../rules/finding.ts';
import { edited } from './verify.ts';

const halfWay = (instruction: string, label: number): string => `\ttestb\t$3, 16(%rsp)\n\tjnz\t${label}f\n\t${instruction}\n${label}:\n`;

async function fixOf(rule: string, stub: string, change = (fix: Fix): Fix => fix): Promise<{ readonly title: string; readonly text: string | null } | null> {
  const { review, folder, path } = await open(new Map([['entry.S', stub], ['design.c', handlerOfGp]]));
  try {
    const finding = review.findings(folder, finished(review.explore(folder))).find((one) => one.rule === rule);
    assert.ok(finding !== undefined, `${rule} speaks`);
    assert.ok(finding.fix !== null);
    const fix = review.verifiedFix(folder, { ...finding, fix: change(finding.fix) });
    return fix === null ? null : { title: fix.title, text: edited({ read: review.text }, fix).read(path('entry.S')) };
  } finally {
    review.release();
  }
}

describe('the fix of an entry path', () => {
  it('is put in front of what needs it, as the unit writes it, though the stub lacks something else', async () => {
    const stub = entryStub({ cld: halfWay('cld', 5), clac: `\t.macro CLEAR_AC\n\tclac\n\t.endm\n${halfWay('CLEAR_AC', 6)}` });
    const fix = await fixOf('missing-clac', stub);
    assert.deepEqual(fix, { title: 'Put CLEAR_AC in front of it', text: stub.replace('\tcall\tdemo_gp', '\tCLEAR_AC\n\tcall\tdemo_gp') });
    assert.equal((await fixOf('missing-cld', fix.text ?? ''))?.title, 'Put cld in front of it');
  });

  it('copies an operand with the instruction', async () => {
    const stub = entryStub({ unswap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t2f\n\tverw\tdemo_sel(%rip)\n\tswapgs\n2:\n' });
    assert.deepEqual(await fixOf('exit-without-buffer-clear', stub), { title: 'Put verw demo_sel(%rip) in front of it', text: stub.replace('\tiretq', '\tverw\tdemo_sel(%rip)\n\tiretq') });
  });

  it('is not offered where it does not mend, or breaks something else', async () => {
    const stub = entryStub({ cld: halfWay('cld', 5) });
    for (const instruction of ['nop', 'cld; swapgs']) {
      assert.equal(await fixOf('missing-cld', stub, (fix) => ({ ...fix, edits: fix.edits.map((edit) => ({ ...edit, newText: edit.newText.replace('cld', instruction) })) })), null);
    }
  });
});

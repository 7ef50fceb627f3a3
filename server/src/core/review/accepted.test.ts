// A row of the accepted places is a hover at its line in its function, and nowhere else. That each is in real trees is
// seen by scripts/check-editor-kernels.mjs.
import assert from 'node:assert/strict';
import { ACCEPTED } from '../kernel/accepted.ts';
import { createReview } from '../review.ts';
import { ruleNamed } from '../rules/index.ts';
import { loadGrammars } from '../../shell/grammars.ts';

const nmi = `DEFINE_IDTENTRY_RAW(exc_nmi)
{
	sev_es_nmi_complete();
	handle(regs);
}

void other(void)
{
	sev_es_nmi_complete();
}
`;

describe('accepted places', () => {
  it('say why, with a rule that there is', () => {
    for (const row of ACCEPTED) assert.ok(ruleNamed(row.rule) !== null && row.source !== '' && row.because !== '', row.title);
  });

  it('are hovers at the line in the function, and nowhere else', async () => {
    const files = new Map([['/t/include/linux/kconfig.h', ''], ['/t/Makefile', 'VERSION = 6\nPATCHLEVEL = 12\n'], ['/t/arch/x86/kernel/nmi.c', nmi], ['/d/nmi.c', nmi]]);
    const list = (folder: string): string[] => [...files.keys()].flatMap((file) => (file.slice(0, file.lastIndexOf('/')) === folder ? [file.slice(folder.length + 1)] : []));
    const review = await createReview(loadGrammars(__dirname), { read: (file) => files.get(file) ?? null, list }, null);
    const first = nmi.indexOf('sev_es_nmi_complete');
    assert.match(review.hover('/t/arch/x86/kernel/nmi.c', first)?.markdown ?? '', /^\*\*Known:\*\* the hypervisor .*\*\*Because:\*\* .*VC-04/s);
    assert.doesNotMatch(review.hover('/t/arch/x86/kernel/nmi.c', nmi.lastIndexOf('sev_es_nmi_complete'))?.markdown ?? '', /Known/);
    assert.doesNotMatch(review.hover('/t/arch/x86/kernel/nmi.c', nmi.indexOf('handle'))?.markdown ?? '', /Known/);
    assert.doesNotMatch(review.hover('/d/nmi.c', first)?.markdown ?? '', /Known/);
    review.release();
  });
});

// Accepted findings of C entry code in a kernel tree: by annotations and by sidecar files; what takes out nothing is said
// at its line, and its removal is the fix.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { loadGrammars } from '../../shell/grammars.ts';
import { kernelTable, kernelText } from '../../testing/kernel.ts';
import { createReview } from '../review.ts';
import type { Finding, Review } from '../review-types.ts';
import { edited } from './verify.ts';

const root = '/tree/';
const fault = `${root}arch/x86/mm/fault.c`;
const sidecar = `${root}.xctx.yaml`;
const numbers = '#define X86_TRAP_NMI 2\n#define X86_TRAP_BP 3\n#define X86_TRAP_GP 13\n#define X86_TRAP_MC 18\n';
const makefile = readFileSync('test-fixtures/editor/kernel/Makefile', 'utf8');

function late(above = '', store = 'address = read_cr2();'): string {
  return `${above}DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)
{
	unsigned long address = 0;
	irqentry_state_t state;

	state = irqentry_enter(regs);
	${store}
	handle_page_fault(regs, error_code, address);
	irqentry_exit(regs, state);
}
`;
}

const allow = '/* xctx: allow cr2-read-late -- nothing faults in between */';
const known = (rest = ''): string => `known:\n  - {rule: cr2-read-late, at: arch/x86/mm/fault.c#exc_page_fault, reason: nothing faults in between${rest}}\n`;

let review: Review;
let files: Map<string, string>;

/** `rule line` of all findings in the fault handler and in the sidecar file. */
function said(): readonly string[] {
  return all().map(({ rule, place }) => `${rule} ${place.file.slice(root.length)}:${(files.get(place.file) ?? '').slice(0, place.span.start).split('\n').length}`);
}

function all(): readonly Finding[] {
  const { folder } = review.unitOf(fault) ?? { folder: '' };
  const exploration = review.explore(folder);
  while (!exploration.run(10_000).done);
  return [...review.quickFindings(fault), ...review.findings(folder, exploration.reports())].filter(({ rule }) => rule === 'cr2-read-late' || rule === 'unused-suppression');
}

/** The text after the fix of the only unused suppression. */
function removed(): string | null | undefined {
  const [finding] = all().filter(({ rule }) => rule === 'unused-suppression');
  const fix = finding === undefined ? null : review.verifiedFix('/tree/arch/x86/mm', finding);
  assert.ok(finding !== undefined && fix !== null);
  return edited({ read: (file) => files.get(file) ?? null }, fix).read(finding.place.file);
}

describe('suppressions in a kernel tree', () => {
  async function start(given: Readonly<Record<string, string>>, today = '2026-06-01'): Promise<void> {
    files = new Map([[`${root}Makefile`, makefile], [`${root}include/linux/kconfig.h`, '\n'], [`${root}arch/x86/entry/entry_64.S`, 'nop\n'], ...Object.entries(given)]);
    const list = (folder: string): string[] => [...files.keys()].flatMap((file) => (file.slice(0, file.lastIndexOf('/')) === folder ? [file.slice(folder.length + 1)] : []));
    review = await createReview(loadGrammars(__dirname), { read: (file) => files.get(file) ?? null, list, today: () => today }, null);
  }
  afterEach(() => review.release());

  it('shows the finding without one', async () => {
    await start({ [fault]: late() });
    assert.deepEqual(said(), ['cr2-read-late arch/x86/mm/fault.c:7']);
  });

  it('takes it out by an annotation at the statement or at the function', async () => {
    await start({ [fault]: late('', `${allow}\n\taddress = read_cr2();`) });
    assert.deepEqual(said(), []);
    review.release();
    await start({ [fault]: late(`${allow}\n`) });
    assert.deepEqual(said(), []);
  });

  it('tells of an annotation that takes out nothing, and removes its line', async () => {
    await start({ [fault]: late('', `address = 1;\n\t${allow}\n\taddress = 2;`) });
    assert.deepEqual(said(), ['unused-suppression arch/x86/mm/fault.c:8']);
    assert.equal(removed(), late('', 'address = 1;\n\taddress = 2;'));
  });

  it('takes it out by a line of the sidecar file at the root', async () => {
    await start({ [fault]: late(), [sidecar]: known() });
    assert.deepEqual(said(), []);
  });

  it('takes it out by a directive of a sidecar file beside it', async () => {
    await start({ [fault]: late(), [`${root}arch/x86/mm/.xctx.yaml`]: 'fault.c#exc_page_fault:\n  - allow cr2-read-late -- nothing faults in between\n' });
    assert.deepEqual(said(), []);
  });

  it('tells of a known finding that is none any more, and removes it with its empty section', async () => {
    await start({ [fault]: late('', 'address = 1;'), [sidecar]: known() });
    assert.deepEqual(said(), ['unused-suppression .xctx.yaml:2']);
    assert.equal(removed(), '');
  });

  it('keeps the other lines of the section', async () => {
    const other = '  - {rule: cr2-read-late, at: arch/x86/mm/fault.c#*, reason: the same}\n';
    await start({ [fault]: late('', 'address = 1;'), [sidecar]: known() + other });
    assert.equal(removed(), `known:\n${other}`);
  });

  for (const [title, until, shown] of [['day', '2026-05-31', true], ['day to come', '2026-06-01', false], ['release', '6.12', true], ['release to come', '6.13', false], ['sentence', 'the next series', false]] as const) {
    it(`shows a known finding again after its ${title} exactly if that has come`, async () => {
      await start({ [fault]: late(), [sidecar]: known(`, until: "${until}"`) });
      assert.deepEqual(said(), shown ? ['cr2-read-late arch/x86/mm/fault.c:7', 'unused-suppression .xctx.yaml:2'] : []);
      if (shown) assert.match(all().map(({ message }) => message).join('\n'), /was accepted until .*; look again, and renew or delete it/);
    });
  }

  it('tells of a known finding at code that is not there', async () => {
    await start({ [fault]: late(), [sidecar]: known().replace('exc_page_fault', 'exc_page_fualt') });
    assert.deepEqual(review.quickFindings(sidecar).map(({ message }) => message), ['no code here is arch/x86/mm/fault.c#exc_page_fualt: the path counts from /tree']);
    assert.deepEqual(said(), ['cr2-read-late arch/x86/mm/fault.c:7']);
  });

  describe('of entry paths', () => {
    const entry = `${root}arch/x86/entry/entry_64.S`;
    const bare = kernelText.replace(/^\tcld.*\n/m, '');

    /** `rule path:line` of what the entry paths show. */
    async function shown(text: string, more: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
      await start({ [entry]: text, [`${root}arch/x86/kernel/idt.c`]: `${numbers}${kernelTable}`, ...more });
      const exploration = review.explore(`${root}arch/x86/entry`);
      while (!exploration.run(10_000).done);
      return review.findings(`${root}arch/x86/entry`, exploration.reports()).map(({ rule, place }) => `${rule} ${place.file.slice(root.length)}:${(files.get(place.file) ?? '').slice(0, place.span.start).split('\n').length}`);
    }

    it('takes a finding out at its line or by the symbol, and tells of what is of no use', async () => {
      assert.notEqual(bare, kernelText);
      const [found] = (await shown(bare)).filter((one) => one.startsWith('missing-cld '));
      assert.ok(found !== undefined);
      const line = Number(found.slice(found.lastIndexOf(':') + 1)) - 1;
      review.release();
      const lines = bare.split('\n');
      const noted = (at: number): string => [...lines.slice(0, at), '/* xctx: allow missing-cld -- string instructions are not used */', ...lines.slice(at)].join('\n');
      assert.deepEqual((await shown(noted(line))).filter((one) => /^(?:missing-cld|unused)/.test(one)), []);
      review.release();
      assert.ok((await shown(noted(0))).includes('unused-suppression arch/x86/entry/entry_64.S:1'));
      review.release();
      assert.deepEqual((await shown(bare, { [sidecar]: 'known:\n  - {rule: XR-FLG01, at: "arch/x86/entry/entry_64.S#*", reason: string instructions are not used}\n' })).filter((one) => /^(?:missing-cld|unused)/.test(one)), []);
    });
  });

  it('names the function that a place lies in', async () => {
    await start({ [fault]: late() });
    assert.equal(review.symbolAt(fault, late().indexOf('read_cr2')), 'exc_page_fault');
    assert.equal(review.sidecarFolder(fault), '/tree');
  });
});

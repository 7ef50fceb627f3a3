// Call hierarchies with exception edges: of a design with its own stubs, and of a small kernel tree.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createNodeWorkspace } from '../../shell/workspace.ts';
import { loadGrammars } from '../../shell/grammars.ts';
import { createReview } from '../review.ts';
import type { HierarchyCall } from '../hierarchy-types.ts';
import type { Review } from '../review-types.ts';

const design = 'test-fixtures/designs/self-ipi/design.c';
const fault = `${process.cwd()}/test-fixtures/editor/kernel/arch/x86/mm/fault.c`;

let review: Review;

function itemAt(file: string, around: string) {
  const offset = readFileSync(file, 'utf8').indexOf(around);
  assert.ok(offset >= 0, around);
  return review.hierarchyAt(file, offset + 1);
}

function callersOf(file: string, key: string): readonly HierarchyCall[] {
  while (!review.prepareHierarchy(file, key, 1000));
  return review.incoming(file, key);
}

function shown(calls: readonly HierarchyCall[]): readonly string[] {
  return calls.map(({ item }) => `${item.kind} ${item.name}`);
}

describe('call hierarchy with exception edges', () => {
  before(async () => {
    review = await createReview(loadGrammars(__dirname), createNodeWorkspace(process.cwd()), null);
  });
  after(() => review.release());

  it('leads from a handler to its stub, and from there to the gate and what raises the event', () => {
    const item = itemAt(design, 'exc_ve)');
    assert.equal(item?.detail, 'CPL 0, VE IST or task stack, IRQs off, over user or kernel mode, from #VE');
    const stubs = callersOf(design, item.key);
    assert.deepEqual(shown(stubs), ['stub asm_exc_ve']);
    const sources = callersOf(design, stubs[0]?.item.key ?? '');
    assert.deepEqual(shown(sources).slice(0, 2), ['event #VE gate', 'context user mode: any instruction']);
    const gate = sources[0]?.item;
    assert.match(gate?.detail ?? '', /^vector 20, .*IST stack VE/);
    assert.equal(readFileSync(design, 'utf8').slice(gate?.place.span.start, gate?.place.span.end), 'ISTG(X86_TRAP_VE,\tasm_exc_ve,\t\tIST_INDEX_VE)');
    // The word is busy while the handler runs: its own code cannot raise #VE.
    assert.ok(!shown(sources).some((name) => name.includes('asm_exc_ve:') || name.includes('exc_ve:')), shown(sources).join('\n'));
    const nmi = sources.find(({ item: { name } }) => name === 'exc_nmi: any instruction');
    assert.equal(nmi?.item.detail, 'CPL 0, NMI or task stack, IF=0, kernel GS base, NMIs blocked');
  });

  it('leads from a stub and a handler to what they call, and says what is not in view', () => {
    const item = itemAt(design, 'exc_ve)');
    const callees = review.outgoing(design, item?.key ?? '');
    assert.deepEqual(shown(callees), ['unresolved apic_self_ipi', 'function ve_handle']);
    assert.match(callees[0]?.item.detail ?? '', /^not in view; known as: /);
    const [stub] = callersOf(design, item?.key ?? '');
    const ends = review.outgoing(design, stub?.item.key ?? '');
    assert.ok(shown(ends).includes('handler exc_ve') && shown(ends).some((name) => /^instruction iretq?$/.test(name)), shown(ends).join('\n'));
  });

  it('names the design\'s functions in headers', () => {
    const callees = review.outgoing(design, itemAt(design, 'exc_nmi)')?.key ?? '');
    const run = callees.find(({ item }) => item.name === 'nmi_run')?.item;
    assert.equal(run?.kind, 'function');
    assert.match(run.place.file, /minikernel-nmi-latch\.h$/);
  });

  it('knows nothing of a word that is no function', () => {
    assert.equal(itemAt(design, 'gpa'), null);
    assert.equal(itemAt(fault, '#include'), null);
    assert.deepEqual(review.incoming(design, 'broken'), []);
  });
});

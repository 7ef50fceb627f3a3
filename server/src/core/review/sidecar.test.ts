// A sidecar file says what comments in the sources would say, and nothing else changes.
import assert from 'node:assert/strict';
import { design, open, runs } from '../../testing/review.ts';

/** The annotations of a design taken out of its source, and the same lines as a sidecar file. */
const sidecar = `design.c#ve_page:
  - guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=stack,info
design.c#exc_ve:
  - handler vector=VE ist=VE origin=any
`;

function bare(): Map<string, string> {
  const files = new Map(design('clear-on-ist-last'));
  files.set('design.c', (files.get('design.c') ?? '').replace(/^ \* xctx:.*\n/gm, ''));
  return files;
}

describe('sidecar files', () => {
  it('count like comments above the symbol: the same verdicts', async () => {
    const commented = await open(design('clear-on-ist-last'), 'clear-on-ist-last');
    const beside = await open(new Map([...bare(), ['.xctx.yaml', sidecar]]), 'clear-on-ist-last');
    const verdicts = (reports: ReturnType<typeof runs>) => reports.map(({ start, verdict, states }) => `${start} ${verdict} ${states}`);
    assert.deepEqual(verdicts(runs(beside, 've-in-task')), verdicts(runs(commented, 've-in-task')));
    commented.review.release();
    beside.review.release();
  });

  it('a path or symbol that names no code is a problem at its key', async () => {
    const { review, path } = await open(new Map([...bare(), ['.xctx.yaml', sidecar.replace('#exc_ve', '#exc_vee')]]), 'clear-on-ist-last');
    const said = review.quickFindings(path('.xctx.yaml')).map(({ message }) => message);
    assert.match(said.join('\n'), /no code of this unit is design\.c#exc_vee/);
    review.release();
  });

  it('a malformed directive is a problem at its word', async () => {
    const { review, path } = await open(new Map([...bare(), ['.xctx.yaml', sidecar.replace('fallback=vmexit', 'fallback=vmexitt')]]), 'clear-on-ist-last');
    const [first] = review.quickFindings(path('.xctx.yaml'));
    assert.equal(first?.rule, 'malformed-annotation');
    assert.match(first.message, /vmexit/);
    review.release();
  });
});

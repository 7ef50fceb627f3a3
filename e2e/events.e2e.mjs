// Entry code of a kernel tree that was broken by one deletion, and events raised in the whole one: the squiggle, the
// hover's contexts, the lens and the panel. The tree is found as in kernel.e2e.mjs.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openTree } from './entrycheck.mjs';

const tree = process.env.ENTRYCHECK_KERNEL ?? join(process.env.ENTRYCHECK_KERNELS ?? join(homedir(), '.cache/entrycheck/kernels'), 'linux-source-6.12');
const entry = 'arch/x86/entry/entry_64.S';
const stub = 'SYM_CODE_START(asm_exc_nmi)';
const present = existsSync(join(tree, entry));
if (!present && process.env.CI) throw new Error(`no kernel tree at ${tree}`);
if (present) {
  describe('events in unmodified entry code', wholeTests);
  describe('entry code with one line deleted', brokenTests);
} else console.log(`events.e2e: left out, there is no kernel tree at ${tree}`);

const explored = 240_000;

function wholeTests() {
  let workbench;
  let line;

  before(async () => {
    workbench = await openTree(tree);
    await workbench.openFile(entry);
    line = lineBehind(workbench, 'cld');
  });
  after(() => workbench?.close());

  it('the hover in asm_exc_nmi tells its contexts, and who can interrupt', async function hovers() {
    this.timeout(explored);
    await workbench.gotoLine(line);
    let text = '';
    // A hover does not wait for the exploration: it says that it is under way.
    await workbench.waitUntil(async () => {
      text = await workbench.hoverAt(line, 'cld');
      if (!/still being explored/.test(text)) return true;
      await workbench.closeHover();
      return false;
    }, 'a hover with all contexts', explored);
    for (const wanted of [/running/, /NMI on NMI stack/, /NMI from user mode/, /can interrupt here/i, /NMI cannot: blocked/]) assert.match(text, wanted);
    await workbench.screenshot('events-hover');
    await workbench.closeHover();
  });

  it('a lens above paranoid_entry raises an NMI, and the panel shows that it holds', async function lens() {
    this.timeout(explored);
    await workbench.gotoLine(workbench.lineOf(entry, '(paranoid_entry)'));
    const link = workbench.page.locator('.codelens-decoration a:visible', { hasText: 'raise NMI here' });
    await workbench.waitUntil(async () => (await link.count()) > 0, 'a lens in view', explored);
    await workbench.screenshot('events-lens');
    await link.first().click();
    const panel = await workbench.webview(/holds/, { timeout: explored });
    const text = await panel.locator('body').innerText();
    assert.match(text, /NMI at entry_64\.S:\d+/);
    assert.match(text, /NMI arrives at/);
    await workbench.screenshot('events-panel');
  });
}

function brokenTests() {
  let workbench;
  let scratch;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'entrycheck-tree-'));
    // The rest of the tree is read only: links are enough for what is not edited.
    for (const name of ['include', 'Makefile']) symlinkSync(join(tree, name), join(scratch, name));
    for (const name of ['arch/x86/entry', 'arch/x86/kernel', 'arch/x86/include', 'arch/x86/kvm']) {
      mkdirSync(join(scratch, dirname(name)), { recursive: true });
      if (name === 'arch/x86/entry') cpSync(join(tree, name), join(scratch, name), { recursive: true });
      else symlinkSync(join(tree, name), join(scratch, name));
    }
    const lines = readFileSync(join(tree, entry), 'utf8').split('\n');
    const from = lines.findIndex((each) => each.startsWith(stub));
    lines.splice(lines.findIndex((each, at) => at > from && each.trim() === 'cld'), 1);
    writeFileSync(join(scratch, entry), lines.join('\n'));
    workbench = await openTree(scratch);
    await workbench.openFile(entry);
  });
  after(async () => {
    await workbench?.close();
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  });

  it('shows the squiggle where C code runs with the direction flag of user mode', async function squiggle() {
    this.timeout(explored);
    const row = await workbench.waitForDiagnostic('missing-cld', { timeout: explored });
    const at = Number(/\[Ln (\d+),/.exec(row)?.[1]);
    assert.match(row, /DF/);
    await workbench.gotoLine(at);
    await workbench.waitForSquiggle(at);
    await workbench.screenshot('events-squiggle');
  });
}

/** The first line with that text behind the NMI stub's name. */
function lineBehind(workbench, text) {
  const lines = readFileSync(join(workbench.folder, entry), 'utf8').split('\n');
  const from = lines.findIndex((each) => each.startsWith(stub));
  return lines.findIndex((each, at) => at > from && each.trim() === text) + 1;
}

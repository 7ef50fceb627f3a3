// Unmodified entry code of a kernel tree in the editor: nothing false is shown, names lead to their definitions, macros to
// what they become, and what the configuration leaves out is faded. The tree is that of ENTRYCHECK_KERNEL, else the one
// that CI unpacks; without one there is nothing to test, which CI does not accept.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commands, openTree } from './entrycheck.mjs';

const tree = process.env.ENTRYCHECK_KERNEL ?? join(process.env.ENTRYCHECK_KERNELS ?? join(homedir(), '.cache/entrycheck/kernels'), 'linux-source-6.12');
const entry = 'arch/x86/entry/entry_64.S';
const label = '(paranoid_entry)';
const present = existsSync(join(tree, entry));
if (!present && process.env.CI) throw new Error(`no kernel tree at ${tree}`);
if (present) describe('unmodified kernel entry code', kernelTests);
else console.log(`kernel.e2e: left out, there is no kernel tree at ${tree}`);

function kernelTests() {
  let workbench;

  before(async () => {
    workbench = await openTree(tree);
    await workbench.openFile(entry);
  });
  after(() => workbench?.close());

  it('shows no error and no warning in entry_64.S', async () => {
    await workbench.waitUntil(async () => (await workbench.page.locator('.statusbar-item', { hasText: 'Entrycheck: no findings' }).count()) > 0, 'the status bar to say that there are no findings', 60_000);
    await workbench.showProblems('');
    await workbench.waitUntil(async () => /No problems/.test(await workbench.panelText()), 'the Problems panel to be empty', 10_000);
    assert.deepEqual(await workbench.squiggledLines(), []);
    await workbench.screenshot('kernel-entry');
    await workbench.runCommand('View: Toggle Panel Visibility');
  });

  it('tells behind an instruction what changes there', async function () {
    this.timeout(180_000);
    const symbol = workbench.lineOf(entry, 'SYM_CODE_START(entry_SYSCALL_64)');
    await workbench.gotoLine(symbol);
    const shown = async () => (await Promise.all([...Array(14).keys()].map((below) => workbench.lineText(symbol + below)))).join('\n');
    await workbench.waitUntil(async () => /swapgs\s*GS kernel/.test(await shown()), 'the hint behind swapgs', 150_000);
    const text = await shown();
    for (const wanted of [/SWITCH_TO_KERNEL_CR3.*CR3 kernel/, /top_of_stack\), %rsp\s*stack task/]) assert.match(text, wanted);
    await workbench.screenshot('kernel-hints');
  });

  it('fades the branch of a CONFIG that is off, and no other', async () => {
    const off = workbench.lineOf(entry, '#ifdef CONFIG_XEN_PV');
    await workbench.gotoLine(off);
    await workbench.waitUntil(async () => (await workbench.fadedLines()).includes(off + 1), `line ${off + 1} to be faded`, 30_000);
    const faded = await workbench.fadedLines();
    assert.ok(!faded.includes(off), 'the #ifdef itself is not faded');
    await workbench.screenshot('kernel-inactive');
    await workbench.gotoLine(workbench.lineOf(entry, label));
    assert.deepEqual((await workbench.fadedLines()).filter((line) => Math.abs(line - workbench.lineOf(entry, label)) < 10), []);
  });

  it('goes from a use of paranoid_entry to its label', async () => {
    const use = workbench.lineOf(entry, 'call\tparanoid_entry');
    await workbench.gotoLine(use);
    await workbench.clickWord(use, 'paranoid_entry');
    await workbench.press('F12');
    await workbench.waitForCursor(workbench.lineOf(entry, label));
    await workbench.screenshot('kernel-definition');
  });

  it('says in a hover what a use of a macro becomes', async () => {
    const use = workbench.lineOf(entry, 'PUSH_AND_CLEAR_REGS rax');
    await workbench.gotoLine(use);
    const text = await workbench.hoverAt(use, 'PUSH_AND_CLEAR_REGS');
    assert.match(text, /assembler macro of calling\.h/);
    assert.match(text, /pushq\s+%rdi/);
    assert.match(text, /and \d+ more/);
    await workbench.screenshot('kernel-hover');
    await workbench.closeHover();
  });

  it('shows the expansion of asm_exc_page_fault, whose lines lead to where they are written', async () => {
    await workbench.gotoLine(1);
    await workbench.runCommand(commands.showExpansion);
    await workbench.fillQuickInput('asm_exc_page_fault');
    await workbench.pickQuickPick('asm_exc_page_fault');
    await workbench.waitForActiveFile('asm_exc_page_fault.S');
    const lines = [];
    for (let number = 1; number < 25; number++) lines.push((await workbench.lineText(number)) ?? '');
    const text = lines.join('\n');
    for (const wanted of [/^asm_exc_page_fault:/m, /call +error_entry +# entry_64\.S:\d+ <- /, /call +exc_page_fault/, /# with X86_FEATURE_XENPV:/, /# +call +xen_error_entry/]) assert.match(text, wanted);
    await workbench.screenshot('kernel-expansion');
    const call = lines.findIndex((line) => /call +error_entry/.test(line)) + 1;
    const written = Number(/# entry_64\.S:(\d+)/.exec(lines[call - 1])?.[1]);
    await workbench.clickWord(call, 'error_entry');
    await workbench.press('F12');
    await workbench.waitForActiveFile(entry);
    await workbench.waitForCursor(written);
    await workbench.screenshot('kernel-origin');
  });
}

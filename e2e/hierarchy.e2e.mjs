// The call hierarchy of a handler in an unmodified kernel tree: its stub, the gate, and the instructions that raise the
// event, each with its context. The tree is chosen as in kernel.e2e.mjs.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commands, openTree } from './entrycheck.mjs';

const tree = process.env.ENTRYCHECK_KERNEL ?? join(process.env.ENTRYCHECK_KERNELS ?? join(homedir(), '.cache/entrycheck/kernels'), 'linux-source-6.12');
const fault = 'arch/x86/mm/fault.c';
const present = existsSync(join(tree, fault));
if (!present && process.env.CI) throw new Error(`no kernel tree at ${tree}`);
if (present) describe('call hierarchy', hierarchyTests);
else console.log(`hierarchy.e2e: left out, there is no kernel tree at ${tree}`);

function hierarchyTests() {
  let workbench;

  before(async () => {
    workbench = await openTree(tree);
    await workbench.openFile(fault);
  });
  after(() => workbench?.close());

  it('from exc_page_fault shows its stub, the gate, and the instructions that raise #PF with their contexts', async () => {
    const line = workbench.lineOf(fault, 'DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)');
    await workbench.gotoLine(line);
    await workbench.clickWord(line, 'exc_page_fault');
    await workbench.runCommand(commands.callHierarchy);
    await workbench.waitForTreeRow(/exc_page_fault/, 90_000);
    const handlers = await workbench.treeRows();
    assert.ok(handlers.some((row) => /exc_page_fault.*CPL 0, .*IRQs off/s.test(row)), handlers.join('\n'));
    await workbench.waitForTreeRow(/asm_exc_page_fault/, 90_000);
    await workbench.expandTreeRow(/asm_exc_page_fault/);
    await workbench.waitForTreeRow(/#PF gate/, 90_000);
    await workbench.screenshot('call-hierarchy');
    const rows = await workbench.treeRows();
    for (const wanted of [/#PF gate.*vector 14/s, /user mode: any instruction that raises #PF/, /iretq.*CPL 0, .*stack, IF=0/s]) assert.ok(rows.some((row) => wanted.test(row)), `${wanted} in\n${rows.join('\n')}`);
  });

  it('an instruction leads to its line', async () => {
    await workbench.openTreeRow(/asm_exc_nmi: iretq/);
    await workbench.waitForActiveFile('arch/x86/entry/entry_64.S');
    await workbench.screenshot('call-hierarchy-instruction');
  });

  it('goes the other way down to the exits', async () => {
    await workbench.openFile(fault);
    const line = workbench.lineOf(fault, 'DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)');
    await workbench.gotoLine(line);
    await workbench.clickWord(line, 'exc_page_fault');
    await workbench.runCommand(commands.callHierarchy);
    await workbench.waitForTreeRow(/asm_exc_page_fault/, 90_000);
    await workbench.runCommand(commands.outgoingCalls);
    await workbench.waitForTreeRow(/handle_page_fault/, 90_000);
    await workbench.expandTreeRow(/irqentry_exit/);
    await workbench.waitForTreeRow(/irqentry_exit_to_user_mode/, 30_000);
    await workbench.screenshot('call-hierarchy-outgoing');
  });

  it('a hover at a C function tells the contexts joined over its callers', async () => {
    await workbench.openFile(fault);
    const line = workbench.lineOf(fault, 'handle_page_fault(struct pt_regs');
    await workbench.gotoLine(line);
    const text = await workbench.hoverAt(line, 'handle_page_fault');
    assert.match(text, /Contexts of handle_page_fault\(\): CPL 0, .*from #/);
    await workbench.screenshot('c-context-hover');
    await workbench.closeHover();
  });

  it('a hover at an accepted race tells why', async () => {
    await workbench.openFile('arch/x86/kernel/nmi.c');
    const line = workbench.lineOf('arch/x86/kernel/nmi.c', 'sev_es_nmi_complete();');
    await workbench.gotoLine(line);
    const text = await workbench.hoverAt(line, 'sev_es_nmi_complete');
    assert.match(text, /Known: .*hypervisor.*Because: /s);
    await workbench.screenshot('known-because-hover');
    await workbench.closeHover();
  });
}

// Opens entry code of unpacked kernel trees through the language server and counts what an editor would show there:
// in unmodified files there must be no error and no warning but those that docs/findings.md documents. Prints how long
// an edit takes to its diagnostics.
//
//   node scripts/check-editor-kernels.mjs TREE...
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { documented } from './documented.mjs';

const require = createRequire(import.meta.url);
const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require('vscode-languageserver/node');

const files = [
  'arch/x86/entry/entry_64.S',
  'arch/x86/entry/entry_64_compat.S',
  'arch/x86/entry/entry_64_fred.S',
  'arch/x86/entry/entry.S',
  'arch/x86/entry/entry_32.S',
  'arch/x86/entry/thunk_64.S',
  'arch/x86/entry/calling.h',
  'arch/x86/entry/common.c',
  'arch/x86/entry/entry_fred.c',
  'arch/x86/include/asm/idtentry.h',
  'arch/x86/include/asm/alternative.h',
  'arch/x86/include/asm/nospec-branch.h',
  'arch/x86/kernel/head_64.S',
  'arch/x86/kernel/relocate_kernel_64.S',
  'arch/x86/kernel/ftrace_64.S',
  'arch/x86/kernel/nmi.c',
  'arch/x86/kernel/traps.c',
  'arch/x86/kernel/idt.c',
  'arch/x86/kernel/cpu/mce/core.c',
  'arch/x86/mm/fault.c',
  'arch/x86/lib/memcpy_64.S',
  'arch/x86/lib/copy_user_64.S',
  'arch/x86/xen/xen-asm.S',
  'arch/x86/kvm/vmx/vmenter.S',
];
/** Places that the built-in profile accepts, by file, a piece of the line or its pattern, and a piece of what the hover says. */
const accepted = [
  ['arch/x86/kernel/cpu/mce/core.c', /\bmce_wrmsr[lq]\(MSR_IA32_MCG_STATUS, 0\)/, 'MCIP is cleared'],
  ['arch/x86/kernel/cpu/mce/core.c', /\b(?:__wrmsr|native_wrmsrq)\(MSR_IA32_MCG_STATUS, 0/, 'MCIP is cleared'],
  ['arch/x86/kernel/cpu/mce/core.c', 'local_irq_enable();', 'interrupts are enabled on whatever stack'],
  ['arch/x86/kernel/nmi.c', 'sev_es_nmi_complete();', 'the hypervisor may inject the next NMI'],
  ['arch/x86/kernel/nmi.c', 'pr_emerg("NMI: PCI system error', 'prints in NMI context'],
  ['arch/x86/entry/entry_64.S', 'cmpl\t$1, -8(%rsp)', 'reads a word below RSP'],
  ['arch/x86/kernel/traps.c', 'return;\n\t}\n#endif\n\n\tirqentry_nmi_enter(regs)', 'returns from a #DF'],
];

const server = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'cli.js');
const names = ['', 'error', 'warning', 'info', 'hint'];

let failures = 0;
let checked = 0;
for (const tree of process.argv.slice(2)) await checkTree(resolve(tree));
console.log(`${checked - failures} passed, ${failures} failed`);
process.exit(failures === 0 && checked > 0 ? 0 : 1);

async function checkTree(tree) {
  const child = spawn(process.execPath, [server, 'lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const logged = new Set();
  connection.onNotification('window/logMessage', ({ message }) => {
    const first = message.split('\n', 4).join(' ');
    if (logged.size < 5 && !logged.has(first)) console.log(`  log: ${first}`);
    logged.add(first);
    failures += 1;
  });
  connection.onRequest('workspace/diagnostic/refresh', () => null);
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid, rootUri: null, workspaceFolders: [{ uri: pathToFileURL(tree).href, name: 'linux' }],
    capabilities: { textDocument: { diagnostic: {}, publishDiagnostics: { relatedInformation: true, tagSupport: { valueSet: [1, 2] } } }, workspace: { diagnostics: { refreshSupport: true } } },
    initializationOptions: {},
  });
  await connection.sendNotification('initialized', {});
  const pull = async (uri) => (await connection.sendRequest('textDocument/diagnostic', { textDocument: { uri } })).items;
  console.log(tree);
  for (const name of files) {
    const file = join(tree, name);
    if (!existsSync(file)) continue;
    const uri = pathToFileURL(file).href;
    const text = readFileSync(file, 'utf8');
    const began = performance.now();
    await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: name.endsWith('.S') ? 'gas-x86' : 'c', version: 1, text } });
    const items = await pull(uri);
    const opened = performance.now() - began;
    const edits = [];
    for (let version = 2; version < 12; version++) {
      const at = { line: 60, character: 0 };
      const start = performance.now();
      const change = version % 2 === 0 ? { range: { start: at, end: at }, text: '\n' } : { range: { start: at, end: { line: 61, character: 0 } }, text: '' };
      await connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [change] });
      await pull(uri);
      edits.push(performance.now() - start);
    }
    edits.sort((a, b) => a - b);
    const bad = items.filter((item) => item.severity <= 2 && !documented().some((one) => tree.endsWith(`-${one.version}`) && one.file === name && one.rule === item.code));
    const infos = items.filter((item) => item.severity === 3);
    checked += 1;
    if (bad.length > 0 || infos.length > 1) failures += 1;
    console.log(`${bad.length > 0 || infos.length > 1 ? 'BAD' : ' ok'} ${name}: ${bad.length} errors and warnings, ${infos.length} infos; opened in ${opened.toFixed(0)} ms, edit to diagnostics ${edits[5].toFixed(0)} ms (median of 10)`);
    for (const item of [...bad, ...infos].slice(0, 4)) console.log(`      ${item.range.start.line + 1}: ${names[item.severity]}: ${item.message} [${item.code}]`);
    await connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }
  await checkHierarchy(tree, connection);
  await checkAccepted(tree, connection);
  await connection.sendRequest('shutdown');
  child.kill();
}

function say(ok, text) {
  checked += 1;
  if (!ok) failures += 1;
  console.log(`${ok ? ' ok' : 'BAD'} ${text}`);
}

async function open(tree, name, connection) {
  const file = join(tree, name);
  const uri = pathToFileURL(file).href;
  const text = readFileSync(file, 'utf8');
  await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: name.endsWith('.S') ? 'gas-x86' : 'c', version: 1, text } });
  return { uri, text };
}

/** From handlers to what raises their events, and to their exits. */
async function checkHierarchy(tree, connection) {
  const { uri, text } = await open(tree, 'arch/x86/mm/fault.c', connection);
  const before = text.slice(0, text.indexOf('(exc_page_fault)') + 1).split('\n');
  const position = { line: before.length - 1, character: before.at(-1).length };
  const began = performance.now();
  const [root] = (await connection.sendRequest('textDocument/prepareCallHierarchy', { textDocument: { uri }, position })) ?? [];
  say(root?.name === 'exc_page_fault' && /^CPL 0, .*IRQs off.*#PF/.test(root.detail), `call hierarchy of exc_page_fault: ${root?.detail}`);
  if (root === undefined) return;
  const incoming = async (item) => (await connection.sendRequest('callHierarchy/incomingCalls', { item })).map(({ from }) => from);
  const outgoing = async (item) => (await connection.sendRequest('callHierarchy/outgoingCalls', { item })).map(({ to }) => to);
  const stub = (await incoming(root)).find(({ name }) => name === 'asm_exc_page_fault');
  say(stub !== undefined, 'its stub is among its callers');
  const sources = stub === undefined ? [] : await incoming(stub);
  const faulting = sources.filter(({ name, detail }) => name.endsWith(': iretq') && detail.includes(': CPL 0, '));
  say(sources.some(({ name }) => name === '#PF gate') && sources.some(({ name }) => name.startsWith('user mode: ')) && faulting.length > 0 && !sources.some(({ name }) => name === 'asm_exc_nmi: iretq'), `the stub's are the gate, user mode and ${faulting.length} faulting IRETs with contexts, of ${sources.length}, after ${(performance.now() - began).toFixed(0)} ms`);
  const callees = await outgoing(root);
  const names = callees.map(({ name }) => name);
  say(['irqentry_enter', 'handle_page_fault', 'irqentry_exit'].every((name) => names.includes(name)), `it calls ${names.join(', ')}`);
  const ends = stub === undefined ? [] : (await outgoing(stub)).map(({ name }) => name);
  say(ends.includes('exc_page_fault') && ends.includes('error_return'), `its stub goes to ${ends.join(', ')}`);
  await connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
}

async function checkAccepted(tree, connection) {
  for (const [name, piece, title] of accepted) {
    const { uri, text } = await open(tree, name, connection);
    const at = typeof piece === 'string' ? text.indexOf(piece) : text.search(piece);
    const before = text.slice(0, at + 1).split('\n');
    const hover = at < 0 ? null : await connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line: before.length - 1, character: before.at(-1).length } });
    say(hover?.contents.value.includes(`**Known:** ${title}`) === true, `${name}:${before.length}: known, because ... (${title})`);
    await connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }
}

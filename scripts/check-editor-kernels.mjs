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
  await connection.sendRequest('shutdown');
  child.kill();
}

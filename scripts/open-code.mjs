// Opens the designs in VS Code with the extension loaded: `code` or `codium` where there is one on PATH, else a VS Code
// served on 127.0.0.1 for the browser.
//
//   node scripts/open-code.mjs [--serve] [--port N] [FOLDER]      default: test-fixtures/designs
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installVscode, onPath, vscodeFolder } from './install-vscode.mjs';
import { quietSettings, serveVscode, unpackExtension, writeSettings } from './serve-vscode.mjs';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..');

function desktop(command, folder) {
  console.log(`${command} --new-window --extensionDevelopmentPath=${repository} ${folder}`);
  const result = spawnSync(command, ['--new-window', `--extensionDevelopmentPath=${repository}`, folder], { stdio: 'inherit' });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status ?? result.signal}; npm run code -- --serve needs none`);
}

async function served(folder, port) {
  console.log('a VS Code is served for the browser');
  const installation = installVscode(vscodeFolder(), { forTests: false });
  const home = `${installation}-user`;
  const userData = join(home, 'user-data');
  const extensions = join(home, 'extensions');
  mkdirSync(home, { recursive: true });
  rmSync(extensions, { recursive: true, force: true });
  if (!existsSync(join(userData, 'User', 'settings.json'))) writeSettings(userData, quietSettings);
  await unpackExtension(repository, extensions);
  const server = await serveVscode({ installation, userData, extensions, port });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(0));
  console.log(`open in a browser on this machine: ${server.urlOf(folder)}`);
  console.log('Ctrl+C ends it');
  throw new Error(`the server ended with ${await server.ended}`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { serve: { type: 'boolean', default: false }, port: { type: 'string', default: '0' } },
  });
  const folder = resolve(positionals[0] ?? join(repository, 'test-fixtures', 'designs'));
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Error(`no such folder: ${folder}`);
  if (!/^\d{1,5}$/.test(values.port)) throw new Error(`not a port: ${values.port}`);
  if (!existsSync(join(repository, 'dist', 'client.js'))) throw new Error('the extension is not built: run npm run build');
  const command = values.serve ? undefined : ['code', 'codium'].find((each) => onPath(each) !== null);
  if (command === undefined && !values.serve) console.log('neither code nor codium is on PATH');
  if (command) desktop(command, folder);
  else await served(folder, Number(values.port));
} catch (problem) {
  console.error(`open-code: ${problem.message}`);
  process.exitCode = 2;
}

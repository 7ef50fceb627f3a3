// Installs a VS Code that is served on 127.0.0.1 (code-server's build of 1.100) from the npm registry into a cache
// folder outside the repository. It must never write into the repository.
//
//   node scripts/install-vscode.mjs [FOLDER]      default: $ENTRYCHECK_VSCODE or ~/.cache/entrycheck/vscode-1.100
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const version = '4.100.3';
/** Raised when the steps below change, so that an older cache is built anew. */
const recipe = 1;
const nativeModules = ['node-pty', '@vscode/spdlog', '@parcel/watcher', 'native-watchdog', 'kerberos'];

/** The file or command that shows a Debian package is there, and the package. */
const needed = [
  { package: 'build-essential', present: () => onPath('g++') && onPath('make') },
  { package: 'python3', present: () => onPath('python3') },
  { package: 'pkg-config', present: () => onPath('pkg-config') },
  { package: 'libkrb5-dev', present: () => existsSync('/usr/include/gssapi/gssapi.h') || onPath('krb5-config') },
  { package: 'ripgrep', present: () => onPath('rg') },
];
const neededForTests = [
  { package: 'chromium', present: () => onPath('chromium') },
  { package: 'fonts-dejavu-core', present: () => existsSync('/usr/share/fonts/truetype/dejavu') },
];

export function vscodeFolder() {
  return resolve(process.env.ENTRYCHECK_VSCODE ?? join(homedir(), '.cache', 'entrycheck', 'vscode-1.100'));
}

/** The script that serves VS Code from an installation. */
export function serverScript(folder) {
  return join(serverRoot(folder), 'out', 'server-main.js');
}

/** The path of a command on PATH, or null. */
export function onPath(command) {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (folder !== '' && existsSync(join(folder, command))) return join(folder, command);
  }
  return null;
}

/** Does nothing when the folder already holds a finished installation. `forTests` also wants Chromium. */
export function installVscode(folder, { forTests }) {
  installDebianPackages(forTests ? [...needed, ...neededForTests] : needed);
  const stamp = join(folder, 'entrycheck-stamp');
  const wanted = `code-server ${version}, node ${process.versions.modules}, recipe ${recipe}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    say(`already in ${folder}`);
    return folder;
  }
  requireNode20();
  const building = `${folder}.building-${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  try {
    build(building);
    writeFileSync(join(building, 'entrycheck-stamp'), wanted);
    rmSync(folder, { recursive: true, force: true });
    renameSync(building, folder);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  say(`installed in ${folder}`);
  return folder;
}

function build(folder) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  say(`code-server ${version} from the npm registry`);
  npm(folder, ['install', `code-server@${version}`, '--save-exact', '--ignore-scripts']);
  const root = serverRoot(folder);
  say('its modules');
  npm(root, ['install', '--omit=dev', '--ignore-scripts']);
  say('the modules of its built-in extensions');
  npm(join(root, 'extensions'), ['install', '--omit=dev', '--ignore-scripts']);
  for (const name of nativeModules) {
    say(`compile ${name}`);
    run(join(root, 'node_modules', name), process.execPath, [nodeGyp(), 'rebuild', ...headers()]);
  }
  const ripgrep = join(root, 'node_modules', '@vscode', 'ripgrep', 'bin');
  mkdirSync(ripgrep, { recursive: true });
  link(onPath('rg'), join(ripgrep, 'rg'));
  link('node_modules', join(root, 'node_modules.asar'));
}

function serverRoot(folder) {
  return join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
}

function installDebianPackages(list) {
  const missing = list.filter((entry) => !entry.present()).map((entry) => entry.package);
  if (missing.length === 0) return;
  const byHand = `apt-get install ${missing.join(' ')}`;
  if (onPath('apt-get') === null) throw new Error(`missing on this machine: ${missing.join(', ')} (names of Debian's packages)`);
  if (process.getuid() !== 0) throw new Error(`missing on this machine, install as root: ${byHand}`);
  say(byHand);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('/', 'apt-get', ['update', '-qq'], env);
  run('/', 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], env);
}

function requireNode20() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major !== 20) throw new Error(`code-server ${version} needs Node 20, this is ${process.version}`);
}

/** The node-gyp that comes with npm, so that nothing else has to be downloaded. */
function nodeGyp() {
  const globalModules = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' }).stdout.trim();
  const script = join(globalModules, 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (!existsSync(script)) throw new Error(`npm's own node-gyp is not where it is expected: ${script}`);
  return script;
}

/** Node's headers where they are installed beside it; else node-gyp downloads them. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? [`--nodedir=${prefix}`] : [];
}

function npm(folder, args) {
  run(folder, 'npm', [...args, '--no-audit', '--no-fund', '--loglevel=error']);
}

function run(folder, command, args, env = process.env) {
  const result = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) {
    const tail = `${result.stdout}${result.stderr}`.trimEnd().split('\n').slice(-25).join('\n');
    throw new Error(`${command} ${args.join(' ')} in ${folder} ended with ${result.status ?? result.signal}:\n${tail}`);
  }
}

function link(target, path) {
  if (lstatSync(path, { throwIfNoEntry: false })) rmSync(path, { recursive: true });
  symlinkSync(target, path);
}

function say(text) {
  console.log(`vscode: ${text}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    installVscode(process.argv[2] ? resolve(process.argv[2]) : vscodeFolder(), { forTests: true });
  } catch (problem) {
    console.error(`install-vscode: ${problem.message}`);
    process.exitCode = 2;
  }
}

// Runs the conformance image under QEMU and brings back the log that it wrote into memory. The image stops the machine
// by its panic device where it wants a machine check, and at its end; everything else it does alone.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const binary = 'qemu-system-x86_64';

/** `struct progress` of driver.c, in quadwords. */
const progress = { state: 1, variant: 2, logNext: 3, machineCheck: 5, words: 9 };
const running = 1n;
const done = 2n;

/** First line of `--version`, and how this version is told to put one instruction into each translation block. */
export function qemuVersion() {
  let line;
  try {
    line = execFileSync(binary, ['--version'], { encoding: 'utf8' }).split('\n')[0].trim();
  } catch (error) {
    throw new Error(`${binary} does not run: ${error.message}`, { cause: error });
  }
  const [major, minor] = (/version (\d+)\.(\d+)/.exec(line) ?? []).slice(1).map(Number);
  const oneInstruction = major > 8 || (major === 8 && minor >= 1) ? ['-accel', 'tcg,one-insn-per-tb=on'] : ['-accel', 'tcg', '-singlestep'];
  return { line, oneInstruction };
}

/**
 * One instruction per translation block makes every boundary a place where an event can arrive; with icount one
 * instruction is one nanosecond, so that the timer of the local APIC counts instructions. The CPU under test is the
 * first; a second one only receives broadcast machine checks.
 */
function command(rom, symbols, group) {
  const { oneInstruction } = qemuVersion();
  return [
    ...oneInstruction,
    '-icount', 'shift=0,sleep=off', '-M', 'pc', '-cpu', 'qemu64,vendor=GenuineIntel,+fsgsbase', '-m', '128', '-bios', rom,
    '-nodefaults', '-no-user-config', '-display', 'none', '-device', 'pvpanic-pci', '-action', 'panic=pause',
    '-device', `loader,addr=${symbols.get('progress') + 32n},data=${group},data-len=8`, '-qmp', 'stdio',
    ...(group === 0 ? [] : ['-smp', '2']),
  ];
}

/** The log of one group of variants, as bytes. Rejects where the machine ends or hangs before the image is done. */
export function runGroup({ rom, symbols, group, scratch, nameOf }) {
  const child = spawn(binary, command(rom, symbols, group), { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = [];
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const send = (execute, args = {}) => {
    child.stdin.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject, execute }));
  };
  const monitor = (line) => send('human-monitor-command', { 'command-line': line });
  const readWords = async (address, count) => {
    const text = await monitor(`xp /${count}gx 0x${address.toString(16)}`);
    return [...text.matchAll(/0x([0-9a-f]{16})/g)].map(([, digits]) => BigInt(`0x${digits}`));
  };

  return new Promise((resolve, reject) => {
    let finished = false;
    const hung = async () => {
      await send('stop');
      const words = await readWords(symbols.get('progress'), progress.words);
      throw new Error(`${nameOf(Number(words[progress.variant]))}: it does not end`);
    };
    const timer = setTimeout(() => hung().catch((error) => void stop(error)), 30_000);
    const stop = async (error, value) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
      if (error) reject(new Error(`group ${group}: ${error.message}\n${said}`));
      else resolve(value);
    };
    const stopped = async () => {
      const words = await readWords(symbols.get('progress'), progress.words);
      if (words[progress.state] === done) {
        const file = join(scratch, `log-${group}`);
        const start = symbols.get('log_area');
        await send('pmemsave', { val: Number(start), size: Math.max(8, Number(words[progress.logNext] - start)), filename: file });
        await stop(null, words[progress.logNext] === start ? Buffer.alloc(0) : readFileSync(file));
        return;
      }
      if (words[progress.state] !== running) throw new Error(`${nameOf(Number(words[progress.variant]))}: an exception came behind its end`);
      const [bank, status, global, flags] = words.slice(progress.machineCheck);
      const [broadcast, nmi, other] = [1n, 2n, 4n].map((flag) => (flags & flag) !== 0n);
      const answer = await monitor(`mce ${broadcast ? '-b ' : ''}${other ? 1 : 0} ${bank} ${status} ${global} 0 0`);
      if (answer.trim() !== '' && !/raising triple fault/.test(answer)) throw new Error(`mce: ${answer.trim()}`);
      if (nmi) await send('inject-nmi');
      await send('cont');
    };
    child.on('error', (error) => void stop(error));
    child.on('exit', (code) => void stop(new Error(`QEMU ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.QMP) void send('qmp_capabilities');
      else if ('return' in message) waiting.shift()?.resolve(message.return);
      else if ('error' in message) {
        const { reject: refuse, execute } = waiting.shift();
        refuse(new Error(`${execute}: ${message.error.desc}`));
      } else if (message.event === 'GUEST_PANICKED') stopped().catch((error) => void stop(error));
      else if (process.env.CONFORMANCE_TRACE) console.error(line);
    });
  });
}

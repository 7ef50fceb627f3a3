import assert from 'node:assert/strict';
import { applyHunks, isPatch, onlyShown, parsePatches, takeBackHunks } from './patch.ts';
import { applyPatches } from './patched.ts';
import { runCommand, withFiles } from '../testing/command-line.ts';

const one = 'diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n@@ -2,2 +2,3 @@ f()\n b\n+B\n c\n';

function hunksOf(text: string): Parameters<typeof applyHunks>[1] {
  const parsed = parsePatches(text);
  assert.ok(typeof parsed !== 'string', String(parsed));
  return parsed[0]?.files[0]?.hunks ?? [];
}

describe('a patch', () => {
  it('is known by its headers', () => {
    assert.equal(isPatch(one), true);
    assert.equal(isPatch('--- a list\n+++ of things\n'), false);
  });

  it('applies where it says, and where the text has moved', () => {
    assert.equal(applyHunks('a\nb\nc\nd\n', hunksOf(one)), 'a\nb\nB\nc\nd\n');
    assert.equal(applyHunks('x\ny\nz\na\nb\nc\nd\n', hunksOf(one)), 'x\ny\nz\na\nb\nB\nc\nd\n');
    assert.equal(applyHunks('a\r\nb\r\nc\r\n', hunksOf(one)), 'a\r\nb\nB\nc\n');
  });

  it('moves a file that it renames', async () => {
    const moved = parsePatches('diff --git a/a.c b/b.c\nrename from a.c\nrename to b.c\n--- a/a.c\n+++ b/b.c\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n');
    assert.ok(typeof moved !== 'string');
    await withFiles({ 'a.c': 'x\ny\n' }, async (folder) => {
      const tree = applyPatches(moved.map((patch) => ({ name: 'p', patch })), folder);
      assert.ok(typeof tree !== 'string');
      assert.deepEqual([[...(tree.states.at(-1) ?? [])], tree.touched], [[['a.c', ''], ['b.c', 'x\nz\n']], ['b.c']]);
    });
    await withFiles({ 'b.c': 'x\nz\n' }, async (folder) => {
      const tree = applyPatches(moved.map((patch) => ({ name: 'p', patch })), folder);
      assert.ok(typeof tree !== 'string');
      assert.deepEqual([[...tree.before], tree.touched, tree.partial.size], [[['b.c', ''], ['a.c', 'x\ny\n']], ['b.c'], 0]);
    });
  });

  it('moves a file that it changes nothing in, whatever its name', () => {
    const parsed = parsePatches('diff --git "a/k\\303\\244se.c" b/b.c\nsimilarity index 100%\nrename from "k\\303\\244se.c"\nrename to b.c\ndiff --git a/l.bin b/l.bin\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZ?wbhEH\n\ndiff --git a/x.c b/x.c\n--- "a/t\\tab \\"q\\".c"\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n');
    assert.ok(typeof parsed !== 'string');
    assert.deepEqual(parsed.flatMap(({ files }) => files.map(({ from, to, hunks }) => [from, to, hunks.length])), [['käse.c', 'b.c', 0], ['t\tab "q".c', 'x.c', 1]]);
  });

  it('at the end or the beginning of a text fits there only, once', () => {
    const behind = hunksOf('--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@\n a\n b\n+c\n');
    assert.equal(applyHunks('a\nb\n', behind), 'a\nb\nc\n');
    assert.equal(applyHunks('z\na\nb', behind), 'z\na\nb\nc');
    const twice = applyHunks('a\nb\nc\n', behind);
    assert.ok(typeof twice !== 'string' && twice.where === 'last' && twice.expected === 'b');
    assert.equal(takeBackHunks('a\nb\nc\nd\n', hunksOf('--- b/x.c\n+++ a/x.c\n@@ -1,3 +1,2 @@\n a\n b\n-c\n')), 'a\nb\nd\n');
    const before = hunksOf('--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@\n+c\n a\n b\n');
    assert.equal(applyHunks('a\nb\n', before), 'c\na\nb\n');
    const again = applyHunks('c\na\nb\n', before);
    assert.ok(typeof again !== 'string' && again.where === 'first' && again.expected === 'a');
  });

  it('says which hunk does not apply', () => {
    const result = applyHunks('a\nq\nc\n', hunksOf(one));
    assert.ok(typeof result !== 'string' && result.hunk.at === 4 && result.expected === 'b');
  });

  it('says where it is cut short', () => {
    assert.equal(parsePatches('--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,4 @@\n a\n+b\n'), 'line 6: the hunk of line 3 is cut short: 1 old and 1 new lines of it are missing');
  });

  it('shows its own lines of a file that is not at hand, where they are', () => {
    assert.equal(onlyShown(hunksOf(one)), '\nb\nB\nc\n');
  });

  it('of a new file has all of it; of a series each mail is one', () => {
    const series = 'From 0123456789 Mon\nSubject: [PATCH 1/2] First\n\n--- /dev/null\n+++ b/n.c\n@@ -0,0 +1,2 @@\n+a\n+b\n-- \n2.4\n\nFrom 0123456789 Mon\nSubject: [PATCH 2/2] Second,\n folded\n\n--- a/n.c\n+++ b/n.c\n@@ -1,2 +1,1 @@\n a\n-b\n-- \n2.4\n';
    const parsed = parsePatches(series);
    assert.ok(typeof parsed !== 'string');
    assert.deepEqual(parsed.map(({ subject, files }) => [subject, files[0]?.from, files[0]?.to]), [['First', null, 'n.c'], ['Second, folded', 'n.c', 'n.c']]);
  });
});

const handler = (work: string): string => `/* xctx: handler vector=NMI ist=NMI */
void exc_nmi(struct pt_regs *regs)
{
${work}	count(regs);
}
`;

function diff(path: string, before: string, after: string, subject: string, number: string): string {
  const lines = (text: string, sign: string): string => text.split('\n').slice(0, -1).map((line) => `${sign}${line}\n`).join('');
  return `From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH ${number}] ${subject}\n\n---\ndiff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,${before.split('\n').length - 1} +1,${after.split('\n').length - 1} @@\n${lines(before, '-')}${lines(after, '+')}-- \n2.40\n\n`;
}

describe('check on patches', () => {
  const before = handler('\tspin_lock(&known);\n');
  const middle = handler('\tspin_lock(&known);\n\tmutex_lock(&fresh);\n');
  const after = handler('\tspin_lock(&known);\n\tmutex_lock(&fresh);\n\tforce_sig(SIGBUS);\n');
  const series = diff('d/nmi.c', before, middle, 'Take a mutex', '1/2') + diff('d/nmi.c', middle, after, 'Send a signal', '2/2');

  it('shows what they bring and which of them does, and leaves the disk alone', async () => {
    await withFiles({ 'd/nmi.c': before, 'series.mbox': series }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 'series.mbox'], folder);
      assert.equal(status, 1);
      assert.match(out, /^d\/nmi\.c:5:\d+: error: mutex_lock\(\) may sleep .*\n(?: {4}.*\n)* {4}d\/nmi\.c:5:\d+: note: comes with patch 1 of 2 \(Take a mutex\)$/m);
      assert.match(out, /^d\/nmi\.c:6:\d+: warning: force_sig\(\) .*\n(?: {4}.*\n)* {4}d\/nmi\.c:6:\d+: note: comes with patch 2 of 2 \(Send a signal\)$/m);
      assert.doesNotMatch(out, /known/);
      assert.match(err, /^entrycheck: 1 finding is there without the patches and not shown$/m);
    });
  });

  it('names the patch in the middle of a series that brings it, whatever was there before', async () => {
    const texts = ['', '\tnote();\n', '\tnote();\n\tmutex_lock(&fresh);\n', '\tnote();\n\tmutex_lock(&fresh);\n\tnote();\n'].map((work) => handler(`\tspin_lock(&known);\n${work}`));
    const mails = ['One', 'Two', 'Three'].map((subject, at) => diff('d/nmi.c', texts[at] ?? '', texts[at + 1] ?? '', subject, `${at + 1}/3`));
    await withFiles({ 'd/nmi.c': texts[0] ?? '', 'series.mbox': mails.join('') }, async (folder) => {
      const { out } = await runCommand(['check', 'series.mbox'], folder);
      assert.deepEqual([...out.matchAll(/comes with patch .*$/gm)].map(([text]) => text), ['comes with patch 2 of 3 (Two)']);
    });
  });

  it('shows what patches brought that are in the tree already', async () => {
    await withFiles({ 'd/nmi.c': after, 'series.mbox': series }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 'series.mbox'], folder);
      assert.equal(status, 1);
      assert.match(out, /comes with patch 1 of 2 \(Take a mutex\)$/m);
      assert.match(out, /comes with patch 2 of 2 \(Send a signal\)$/m);
      assert.match(err, /^entrycheck: the patches are in the tree already: what they brought is shown$/m);
      assert.match(err, /^entrycheck: 1 finding is there without the patches and not shown$/m);
    });
  });

  it('shows what a file brought that they made', async () => {
    const made = `--- /dev/null\n+++ b/d/nmi.c\n@@ -0,0 +1,${middle.split('\n').length - 1} @@\n${middle.split('\n').slice(0, -1).map((line) => `+${line}\n`).join('')}`;
    for (const files of [{ 'made.patch': made }, { 'made.patch': made, 'd/nmi.c': middle }]) {
      await withFiles(files, async (folder) => assert.match((await runCommand(['check', 'made.patch'], folder)).out, /^d\/nmi\.c:5:\d+: error: mutex_lock\(\) may sleep /m));
    }
  });

  it('tell of each what it brings and takes away, what does not stay included', async () => {
    const work = ['\tspin_lock(&known);\n', '\tspin_lock(&known);\n\tnote();\n', '\tspin_lock(&known);\n\tmutex_lock(&fresh);\n', '\tmutex_lock(&fresh);\n', '', '\tforce_sig(SIGBUS);\n'];
    const subjects = ['Note', 'Take a mutex', 'Drop the lock', 'Drop the mutex', 'Send a signal'];
    const texts = work.map((one) => handler(one));
    const mails = (last: number): string => subjects.slice(0, last).map((subject, at) => diff('d/nmi.c', texts[at] ?? '', texts[at + 1] ?? '', subject, `${at + 1}/${last}`)).join('');
    await withFiles({ 'd/nmi.c': texts[0] ?? '', 'd/README': 'x\n', 'four.mbox': mails(4), 'five.mbox': mails(5) }, async (folder) => {
      const four = await runCommand(['check', 'four.mbox'], folder);
      assert.deepEqual([four.status, four.out], [0, '']);
      assert.deepEqual(four.err.split('\n').filter((line) => / patch/.test(line)), [
        'entrycheck: taken away by patch 3 of 4 (Drop the lock): lock-in-nmi-like at d/nmi.c#exc_nmi: spin_lock(&known);',
        'entrycheck: not there in the end: patch 2 of 4 (Take a mutex) brings it, patch 4 of 4 (Drop the mutex) takes it away: sleeping-in-atomic-exception at d/nmi.c#exc_nmi: mutex_lock(&fresh);',
      ]);
      const five = await runCommand(['check', '--format', 'json', 'five.mbox'], folder);
      assert.equal(five.status, 1);
      const { findings, patches } = JSON.parse(five.out) as { readonly findings: readonly { readonly message: string }[]; readonly patches: { readonly subjects: readonly string[]; readonly known: number; readonly changes: readonly { readonly line: string; readonly broughtBy: number | null; readonly takenAwayBy: number | null }[] } };
      assert.deepEqual([findings.length, patches.known, patches.subjects], [1, 0, subjects]);
      assert.deepEqual(patches.changes.map(({ line, broughtBy, takenAwayBy }) => [line, broughtBy, takenAwayBy]), [['spin_lock(&known);', null, 3], ['mutex_lock(&fresh);', 2, 4], ['force_sig(SIGBUS);', 5, null]]);
    });
  });

  it('are no news of a file that they only rename', async () => {
    const move = 'From 0123456789abcdef Mon\nSubject: [PATCH 1/2] Move\n\ndiff --git a/d/nmi.c b/d/other.c\nsimilarity index 100%\nrename from d/nmi.c\nrename to d/other.c\n-- \n2.40\n\n';
    await withFiles({ 'd/nmi.c': before, 'move.mbox': move + diff('d/other.c', before, middle, 'Take a mutex', '2/2') }, async (folder) => {
      const { out, err } = await runCommand(['check', 'move.mbox'], folder);
      assert.deepEqual([...out.matchAll(/^\S+: (?:error|warning): |comes with patch .*$/gm)].map(([text]) => text), ['d/other.c:5:2: error: ', 'comes with patch 2 of 2 (Take a mutex)']);
      assert.match(err, /^entrycheck: 1 finding is there without the patches and not shown$/m);
      assert.doesNotMatch(err, /taken away/);
    });
  });

  it('are laid over once where they only add at the end, or without lines around', async () => {
    const first = '/* A file. */\n\nint known;\n';
    const added = handler('\tmutex_lock(&fresh);\n');
    const plus = added.split('\n').slice(0, -1).map((line) => `+${line}\n`).join('');
    const count = added.split('\n').length - 1;
    const patches = { 'end.patch': `--- a/nmi.c\n+++ b/nmi.c\n@@ -1,3 +1,${3 + count} @@\n /* A file. */\n \n int known;\n${plus}`, 'bare.patch': `--- a/nmi.c\n+++ b/nmi.c\n@@ -3,0 +4,${count} @@\n${plus}` };
    for (const [name, patch] of Object.entries(patches)) {
      for (const there of [false, true]) {
        await withFiles({ 'nmi.c': there ? first + added : first, [name]: patch }, async (folder) => {
          const { out, err } = await runCommand(['check', name], folder);
          assert.deepEqual([...out.matchAll(/^nmi\.c:\d+:\d+: .*\[(.*)\]$/gm)].map(([, rule]) => rule), ['sleeping-in-atomic-exception'], `${name} ${out}`);
          assert.match(out, /^nmi\.c:7:\d+: error: mutex_lock\(\) may sleep /m);
          assert.equal(/in the tree already/.test(err), there, name);
        });
      }
    }
  });

  it('tells what they take away', async () => {
    await withFiles({ 'd/nmi.c': before, 'fix.patch': diff('d/nmi.c', before, handler(''), 'Drop the lock', '1/1') }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 'fix.patch'], folder);
      assert.equal(status, 0);
      assert.equal(out, '');
      assert.match(err, /^entrycheck: taken away by the patches: lock-in-nmi-like at d\/nmi\.c#exc_nmi: spin_lock\(&known\);$/m);
    });
  });

  it('refuses what does not apply, and says where', async () => {
    await withFiles({ 'd/nmi.c': handler(''), 'series.mbox': series }, async (folder) => {
      const { status, err } = await runCommand(['check', 'series.mbox'], folder);
      assert.equal(status, 2);
      assert.match(err, /^entrycheck: check: series\.mbox:9: the hunk does not apply to d\/nmi\.c: near line 1 there is no /);
    });
  });

  it('reviews the lines of a patch whose file is not there, and says that it is no more', async () => {
    await withFiles({ 'series.mbox': series, 'other/x.c': 'int x;\n' }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 'series.mbox'], folder);
      assert.equal(status, 1);
      assert.match(out, /^d\/nmi\.c:5:\d+: error: mutex_lock\(\) may sleep /m);
      assert.match(err, /^entrycheck: series\.mbox: d\/nmi\.c is not below the current folder: only the lines that the patch shows of it are reviewed; run this at the root of the tree$/m);
    });
  });

  it('is silent about patches of other files', async () => {
    await withFiles({ 'x.patch': diff('README', 'a\n', 'b\n', 'Words', '1/1'), README: 'a\n' }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 'x.patch'], folder);
      assert.deepEqual([status, out, err], [0, '', 'entrycheck: no patch touches assembler, C or scenario files that are reviewed\n']);
    });
  });
});

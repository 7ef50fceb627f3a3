import assert from 'node:assert/strict';
import { runCommand, withFiles } from '../testing/command-line.ts';
import { headingOf, patchMails } from './mails.ts';

const body = '--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b'.split('\n').map((text, index) => ({ text, at: index + 1 }));
const mail = (subject: string, lines = body) => ({ subject, lines, at: 1 });
const kept = (...subjects: readonly string[]) => patchMails(subjects.map((subject) => mail(subject))).mails.map(({ subject }) => subject);

describe('the patches of a mailbox', () => {
  it('are known by their headings', () => {
    assert.deepEqual(headingOf('Re: [RFC PATCH v3 02/11] x86/entry: Words [here]'), { reply: true, tagged: true, version: 3, number: 2, of: 11, title: 'x86/entry: Words [here]' });
    assert.deepEqual(headingOf('x86: v2 of 1/2'), { reply: false, tagged: false, version: 1, number: null, of: null, title: 'x86: v2 of 1/2' });
  });

  it('come in their order, without answers, in the newest version', () => {
    assert.deepEqual(kept('[PATCH 2/2] b', '[PATCH 1/2] a'), ['[PATCH 1/2] a', '[PATCH 2/2] b']);
    assert.deepEqual(kept('[PATCH] a', 'Re: [PATCH] a'), ['[PATCH] a']);
    assert.deepEqual(kept('Re: why not so'), ['Re: why not so']);
    assert.deepEqual(kept('[PATCH 1/2] a', '[PATCH 2/2] b', '[PATCH v2 1/2] a', '[PATCH v2 2/2] c'), ['[PATCH v2 1/2] a', '[PATCH v2 2/2] c']);
    assert.deepEqual(kept('[PATCH] a', '[PATCH v2] b'), ['[PATCH] a', '[PATCH v2] b'], 'of different series');
    assert.deepEqual(patchMails([mail('[PATCH 0/1] cover', [{ text: 'words', at: 1 }]), mail('[PATCH 1/1] a')]).mails.length, 1);
  });
});

const handler = (work: string): string => `/* xctx: handler vector=NMI ist=NMI */\nvoid exc_nmi(struct pt_regs *regs)\n{\n${work}\tcount(regs);\n}\n`;
const [before, after] = [handler(''), handler('\tmutex_lock(&größe);\n')];
const patch = 'diff --git a/d/nmi.c b/d/nmi.c\nold mode 100644\nnew mode 100755\n--- a/d/nmi.c\n+++ b/d/nmi.c\n@@ -2,4 +2,5 @@\n void exc_nmi(struct pt_regs *regs)\n {\n+\tmutex_lock(&größe);\n \tcount(regs);\n }\n\\ No newline at end of file\n-- \n2.40\n';
const quoted = (text: string): string => [...new TextEncoder().encode(text)].map((byte) => (byte === 10 ? '\n' : byte > 126 || byte === 61 || byte < 32 ? `=${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte))).join('').replace(/^(.{60})(?=.)/gm, '$1=\n');
const subject = 'Subject: =?utf-8?q?=5BPATCH=5D_x86/nmi=3A_Gr=C3=B6=C3=9Fe?=\n';
const head = (more: string): string => `From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: A <a@b.c>\n${subject}MIME-Version: 1.0\n${more}\n`;

const arriving: Readonly<Record<string, string>> = {
  'eight bits': head('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n') + patch,
  'quoted-printable': head('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n') + quoted(patch),
  'base64': `${head('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n')}${Buffer.from(patch).toString('base64').replace(/.{76}/g, '$&\n')}\n`,
  'lines that end in CRLF': (head('Content-Type: text/plain; charset=utf-8\n') + patch).replace(/\n/g, '\r\n'),
  'signed': `${head('Content-Type: multipart/signed; protocol="application/pgp-signature";\n boundary="s"\n')}--s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n${quoted(patch)}\n--s\nContent-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n--s--\n`,
  'flowed': head('Content-Type: text/plain; charset=utf-8; format=flowed\n') + patch.replace(/^ /gm, '  '),
};

describe('check on mails as they arrive', () => {
  for (const [name, mailbox] of Object.entries(arriving)) {
    it(`reads a patch in ${name}`, async () => {
      await withFiles({ 'd/nmi.c': before, 'a.mbox': mailbox }, async (folder) => {
        const { status, out, err } = await runCommand(['check', '--format', 'json', 'a.mbox'], folder);
        const { findings, patches } = JSON.parse(out) as { readonly findings: readonly { readonly rule: string; readonly line: number }[]; readonly patches: { readonly subjects: readonly string[] } };
        assert.deepEqual([status, findings.map(({ rule, line }) => `${rule} ${line}`), patches.subjects, err.replace(/.*not in view.*\n/, '')], [1, ['sleeping-in-atomic-exception 4'], ['x86/nmi: Größe'], '']);
      });
    });
  }

  it('reads a whole thread: the newest version, without cover letter and answers', async () => {
    const one = (number: string, title: string, text: string, reply = ''): string => `From mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: ${reply}[PATCH ${number}] ${title}\n\n>From the start.\n\n${text}\n`;
    const old = patch.replaceAll('größe', 'old');
    const thread = one('v2 0/1', 'cover', 'Words.\n\n d/nmi.c | 1 +\n') + one('1/1', 'Größe', old) + one('v2 1/1', 'Größe', patch) + one('v2 1/1', 'Größe', old, 'Re: ');
    await withFiles({ 'd/nmi.c': before, 't.mbox': thread }, async (folder) => {
      const { status, out, err } = await runCommand(['check', 't.mbox'], folder);
      assert.equal(status, 1, err);
      assert.match(out, /^d\/nmi\.c:4:\d+: error: mutex_lock\(\) may sleep /m);
      assert.match(err, /^entrycheck: t\.mbox: 1 mail with a patch is left out that answers others\nentrycheck: t\.mbox: 1 mail with a patch is left out: version 2 of the series is there too$/m);
    });
  });

  it('names the line of the mail, the file and what to do where a patch does not apply', async () => {
    await withFiles({ 'd/nmi.c': handler('\tother();\n').replace('void', 'int'), 'a.mbox': arriving['signed'] ?? '' }, async (folder) => {
      const { status, err } = await runCommand(['check', 'a.mbox'], folder);
      assert.equal(status, 2);
      assert.equal(err, "entrycheck: check: a.mbox:17: the hunk does not apply to d/nmi.c: near line 2 there is no 'void exc_nmi(struct pt_regs *regs)'; check out what the patch is made for, without the patch\n");
    });
  });

  it('reads code that a mail brings encoded, at its lines', async () => {
    await withFiles({ 'a.eml': `Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n${quoted(after)}` }, async (folder) => {
      const { out } = await runCommand(['check', 'a.eml'], folder);
      assert.match(out, /^a\.eml:7:\d+: error: mutex_lock\(\) may sleep /m);
    });
  });
});

import assert from 'node:assert/strict';
import { isEncoded, readMails } from './mime.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Subject, then number and text of each line that is not blank. */
const shown = (text: string): readonly (readonly string[])[] | null => readMails(bytes(text))?.map(({ subject, lines }) => [subject, ...lines.filter((line) => line.text !== '').map((line) => `${line.at}:${line.text}`)]) ?? null;

describe('a mail', () => {
  it('is known by its fields, and a text that has none is no mail', () => {
    for (const text of ['', '\n', 'int x;\n', 'note: this\n\nint x;\n', 'diff --git a/x b/x\n']) assert.equal(readMails(bytes(text)), null, text);
    assert.deepEqual(shown('From: A <a@b.c>\nSubject: One,\n\ttwo\n\n three\n\nx\n'), [['One, two', '5: three', '7:x']]);
  });

  it('has its own line numbers when quoted-printable joins lines', () => {
    const text = 'Subject: x\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset="utf-8"\n\n-- if (a =3D=3D b)=20\n+\tlong =\nline=09=C3=A4  \n+y\n';
    assert.deepEqual(shown(text), [['x', '5:-- if (a == b) ', '6:+\tlong line\tä', '8:+y']]);
  });

  it('has lines that base64 cuts anywhere', () => {
    const body = Buffer.from('--- a/x.c\r\n+++ b/x.c\r\n+\tä = "…";\r\n last').toString('base64');
    const cut = [body.slice(0, 15), body.slice(15, 40), body.slice(40)].join('\r\n');
    assert.deepEqual(shown(`Subject: x\r\nContent-Transfer-Encoding: BASE64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${cut}\r\n`), [['x', '5:--- a/x.c', '6:+++ b/x.c', '6:+\tä = "…";', '7: last']]);
  });

  it('has a subject in encoded words, of bytes that a word may cut', () => {
    assert.deepEqual(shown('Subject: =?utf-8?q?=5BPATCH_1/2=5D_f=C3=BCr?= =?utf-8?B?IGRhcyA=?=\n =?UTF-8?Q?=E2=80?= =?UTF-8?Q?=A6?= #VE\n\nx\n')?.[0]?.[0], '[PATCH 1/2] für das … #VE');
    assert.deepEqual(shown('Subject: =?iso-8859-1?q?gr=FC=DFe?= =?no-such?q?x?=\n\nx\n')?.[0]?.[0], 'grüßex');
    assert.deepEqual(shown('Subject: größe\n\nx\n')?.[0]?.[0], 'größe');
  });

  it('in parts has its plain text and attached patches', () => {
    const text = 'Subject: x\nContent-Type: multipart/signed; micalg=pgp-sha512;\n\tprotocol="application/pgp-signature"; boundary="=-o"\n\nskipped\n--=-o\nContent-Type: multipart/mixed; boundary=in\n\n--in\nContent-Type: multipart/alternative; boundary=alt\n\n--alt\nContent-Type: text/html\n\n<p>words\n--alt\nContent-Type: text/plain\n\nwords\n--alt--\n--in\nContent-Type: application/octet-stream; name="a.patch"\nContent-Transfer-Encoding: base64\n\nK3gK\n--in\nContent-Type: image/png\n\nno\n--in--\n\n--=-o\nContent-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN\n--=-o--\n';
    assert.deepEqual(shown(text), [['x', '19:words', '25:+x']]);
  });

  it('that flows is joined where it was broken, and its blanks before lines are taken away', () => {
    const head = 'Subject: x\nContent-Type: text/plain; format=flowed\n\n';
    assert.deepEqual(shown(`${head}  \tcontext\n+\ta long \nline\n> quoted \n> text\n-- \n2.4\n`), [['x', '4: \tcontext', '5:+\ta long line', '7:> quoted ', '8:> text', '9:-- ', '10:2.4']]);
    assert.deepEqual(shown(`${head} \tcontext\n+\ty\n`), [['x', '4: \tcontext', '5:+\ty']], 'a client that says so and does nothing');
  });

  it('may be one of a mailbox, whose lines that look like separators are as they were', () => {
    const text = 'From 0123456789abcdef Mon Sep 17 00:00:00 2001\nSubject: one\n\n>From here\n>>From there\nFrom now on\n\nFrom mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: two\n\nx\n';
    assert.deepEqual(shown(text), [['one', '4:From here', '5:>From there', '6:From now on'], ['two', '11:x']]);
  });

  it('does not hang on hostile text', () => {
    const many = (text: string): string => text.repeat(50_000);
    for (const body of [many('='), many('=?utf-8?q?x?= '), many('--b\n'), many('A'), many(' \n'), many('>From ')]) {
      for (const head of ['', 'Content-Transfer-Encoding: base64\n', 'Content-Transfer-Encoding: quoted-printable\n', 'Content-Type: multipart/mixed; boundary=b\n', 'Content-Type: text/plain; format=flowed\n']) readMails(bytes(`Subject: ${body}\n${head}\n${body}`));
    }
    const nested = Array.from({ length: 2000 }, (_, index) => `Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n`).join('');
    readMails(bytes(`Subject: x\n${nested}`));
  });

  it('is encoded where its text is not its lines', () => {
    assert.equal(isEncoded('Content-Type: text/plain;\n\tcharset=utf-8; format=flowed\n\n'), true);
    assert.equal(isEncoded('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'), false);
  });
});

// Which mails of a mailbox are the patches of a series, in order, and the text of mails for what reads one text.
import type { Mail, MailLine } from './mime.ts';
import { isPatch } from './patch.ts';

/** `[RFC PATCH v3 02/11]` before a title. */
interface Heading {
  readonly reply: boolean;
  readonly tagged: boolean;
  readonly version: number;
  readonly number: number | null;
  readonly of: number | null;
  readonly title: string;
}

export interface Chosen {
  readonly mails: readonly Mail[];
  /** What was left out of those that hold patches, in words. */
  readonly notes: readonly string[];
}

const REPLY = /^(?:(?:re|aw|sv|fwd?)(?:\[\d+\])?:\s*)+/i;

export function headingOf(subject: string): Heading {
  const bare = subject.trim().replace(REPLY, '');
  const tags = /^(?:\[[^\]]*\]\s*)+/.exec(bare)?.[0] ?? '';
  const [, number, of] = /\b(\d+)\/(\d+)\b/.exec(tags) ?? [];
  return {
    reply: REPLY.test(subject.trim()),
    tagged: /\bpatch\b/i.test(tags),
    version: Number(/\bv(\d+)\b/i.exec(tags)?.[1] ?? 1),
    number: number === undefined ? null : Number(number),
    of: of === undefined ? null : Number(of),
    title: bare.slice(tags.length),
  };
}

/** The mails that hold patches: without the answers to them, the newest version of a series, in its order. */
export function patchMails(all: readonly Mail[]): Chosen {
  const holding = all.filter(({ lines }) => isPatch(plainText(lines))).map((mail) => ({ mail, ...headingOf(mail.subject) }));
  const notes: string[] = [];
  let kept = holding;
  if (kept.some(({ tagged, reply }) => tagged && !reply) && kept.some(({ reply }) => reply)) {
    notes.push(`${counted(kept.filter(({ reply }) => reply).length)} left out that ${kept.filter(({ reply }) => reply).length === 1 ? 'answers' : 'answer'} others`);
    kept = kept.filter(({ reply }) => !reply);
  }
  const newest = Math.max(...kept.map(({ version }) => version));
  const titles = new Set(kept.filter(({ version }) => version === newest).map(({ title }) => title));
  const older = kept.filter(({ version }) => version < newest);
  if (older.some(({ title }) => titles.has(title))) {
    notes.push(`${counted(older.length)} left out: version ${newest} of the series is there too`);
    kept = kept.filter(({ version }) => version === newest);
  }
  const [first] = kept;
  const numbers = new Set(kept.map(({ number }) => number));
  if (first !== undefined && first.of !== null && numbers.size === kept.length && !numbers.has(null) && kept.every(({ of }) => of === first.of)) kept = [...kept].sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
  return { mails: kept.map(({ mail }) => mail), notes };
}

function counted(count: number): string {
  return count === 1 ? '1 mail with a patch is' : `${count} mails with patches are`;
}

function plainText(lines: readonly MailLine[]): string {
  return lines.map(({ text }) => text).join('\n');
}

/** One text as `git format-patch` writes it, and the line of the mailbox that each of its lines comes from. */
export function asSeries(mails: readonly Mail[]): { readonly text: string; readonly at: readonly number[] } {
  const lines = mails.flatMap(({ subject, lines: body, at }) => [{ text: 'From 0000000 mail', at }, { text: `Subject: ${subject}`, at }, { text: '', at }, ...body, { text: '', at: body.at(-1)?.at ?? at }]);
  return { text: plainText(lines), at: lines.map(({ at }) => at) };
}

/** The bodies as one text in which a line stands where its own line stands in the mailbox, or as soon below as it can. */
export function asPage(mails: readonly Mail[]): string {
  const out: string[] = [];
  for (const { text, at } of mails.flatMap(({ lines }) => lines)) {
    while (out.length < at - 1) out.push('');
    out.push(text);
  }
  return out.join('\n');
}

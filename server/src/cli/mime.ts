// Mails as they arrive: one or an mbox, their text decoded, with the line of the mail that each line comes from. Pure. By
// hand because the parsers for Node (postal-mime, mailparser) give texts without their lines, by which errors are told.

export interface MailLine {
  readonly text: string;
  /** One-based line of the mail or the mailbox. */
  readonly at: number;
}

export interface Mail {
  readonly subject: string;
  /** The text of the body: its plain parts, and attached patches. */
  readonly lines: readonly MailLine[];
  readonly at: number;
}

/** Header fields by lower-case name, unfolded; of repeated ones the first. */
type Fields = ReadonlyMap<string, string>;

const SEPARATOR = /^From \S+.*\d\d:\d\d/;
const FIELD = /^[!-9;-~]+:(?: |\t|$)/;
const KNOWN = ['from', 'subject', 'date', 'message-id', 'mime-version', 'content-type', 'content-transfer-encoding'];
/** Parts within parts that are looked into. */
const DEEPEST = 12;

/** The mails of a text; null where it does not begin like one. */
export function readMails(bytes: Uint8Array): readonly Mail[] | null {
  const lines = latin1(bytes).replace(/^\xef\xbb\xbf/, '').split('\n').map((text, index) => ({ text: text.replace(/\r$/, ''), at: index + 1 }));
  const first = lines.findIndex(({ text }) => text.trim() !== '');
  if (first === -1) return null;
  const mailbox = SEPARATOR.test(lines[first]?.text ?? '');
  const starts = mailbox ? lines.flatMap(({ text }, index) => (index >= first && SEPARATOR.test(text) && (lines[index - 1]?.text ?? '').trim() === '' ? [index] : [])) : [first];
  const mails = starts.map((start, index) => {
    const own = lines.slice(start + (mailbox ? 1 : 0), starts[index + 1]);
    return mailOf(mailbox ? own.map(unescaped) : own, start + 1);
  });
  return mails.some(({ fields }) => KNOWN.some((name) => fields.has(name))) ? mails.map(({ mail }) => mail) : null;
}

/** Whether a mail is not as it is read: its text may stand in one line of digits, or its lines be broken. */
export function isEncoded(text: string): boolean {
  return /^content-transfer-encoding:\s*(?:base64|quoted-printable)|^content-type:\s*(?:multipart\/|.*(?:\r?\n[ \t].*)*format="?flowed)/im.test(text);
}

/** In a mailbox a line of a body that begins like a separator has a `>` before it. */
function unescaped(line: MailLine): MailLine {
  return /^>+From /.test(line.text) ? { ...line, text: line.text.slice(1) } : line;
}

function mailOf(lines: readonly MailLine[], at: number): { readonly mail: Mail; readonly fields: Fields } {
  const { fields, body } = withFields(lines);
  return { fields, mail: { subject: words(fields.get('subject') ?? ''), lines: textOf(fields, body, 0), at } };
}

function withFields(lines: readonly MailLine[]): { readonly fields: Fields; readonly body: readonly MailLine[] } {
  const fields = new Map<string, string>();
  let index = 0;
  while (FIELD.test(lines[index]?.text ?? '')) {
    const [, name = '', start = ''] = /^([^:]*):\s*(.*)$/.exec(lines[index]?.text ?? '') ?? [];
    let value = start;
    for (index += 1; /^[ \t]+\S/.test(lines[index]?.text ?? ''); index += 1) value += ` ${(lines[index]?.text ?? '').trim()}`;
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value.trim());
  }
  if (index > 0 && (lines[index]?.text ?? '') === '') index += 1;
  return { fields, body: lines.slice(index) };
}

/** The text of a part and of the parts in it. */
function textOf(fields: Fields, body: readonly MailLine[], depth: number): readonly MailLine[] {
  const { word: type, parameters } = typed(fields.get('content-type') ?? 'text/plain');
  if (type.startsWith('multipart/')) {
    if (depth >= DEEPEST) return [];
    const parts = partsOf(body, parameters.get('boundary') ?? '').map(withFields);
    const plain = parts.find((part) => typed(part.fields.get('content-type') ?? 'text/plain').word === 'text/plain');
    const read = type === 'multipart/alternative' && plain !== undefined ? [plain] : parts;
    return read.flatMap((part) => textOf(part.fields, part.body, depth + 1));
  }
  const name = words(parameters.get('name') ?? typed(fields.get('content-disposition') ?? '').parameters.get('filename') ?? '');
  if ((!type.startsWith('text/') || type === 'text/html') && !/\.(?:patch|diff)$/i.test(name)) return [];
  const encoding = (fields.get('content-transfer-encoding') ?? '').toLowerCase();
  const raw = encoding === 'base64' ? fromBase64(body) : encoding === 'quoted-printable' ? fromQuotedPrintable(body) : body;
  const decode = decoder(parameters.get('charset') ?? 'utf-8');
  const lines = raw.map(({ text, at }) => ({ text: decode(text), at }));
  return parameters.get('format')?.toLowerCase() === 'flowed' ? unflowed(lines, parameters.get('delsp')?.toLowerCase() === 'yes') : lines;
}

/** `text/plain; charset="utf-8"`. */
function typed(value: string): { readonly word: string; readonly parameters: ReadonlyMap<string, string> } {
  const parameters = [...value.matchAll(/;\s*([\w-]+)\*?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g)].map(([, name = '', quoted, plain]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''] as const);
  return { word: (/^[^;\s]*/.exec(value)?.[0] ?? '').toLowerCase(), parameters: new Map(parameters) };
}

function partsOf(body: readonly MailLine[], boundary: string): readonly (readonly MailLine[])[] {
  if (boundary === '') return [];
  const parts: MailLine[][] = [];
  for (const line of body) {
    const text = line.text.trimEnd();
    if (text === `--${boundary}--`) break;
    if (text === `--${boundary}`) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  return parts;
}

function fromQuotedPrintable(body: readonly MailLine[]): readonly MailLine[] {
  const out: MailLine[] = [];
  let begun = null as MailLine | null;
  for (const { text, at } of body) {
    const hard = text.replace(/[ \t]+$/, '');
    const soft = hard.endsWith('=');
    const decoded = fromHex(soft ? hard.slice(0, -1) : hard);
    begun = { text: (begun?.text ?? '') + decoded, at: begun?.at ?? at };
    if (soft) continue;
    out.push(...broken(begun));
    begun = null;
  }
  return begun === null ? out : [...out, ...broken(begun)];
}

/** Bytes that are written as `=` and two digits. */
function fromHex(text: string): string {
  return text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function broken({ text, at }: MailLine): readonly MailLine[] {
  return text.split('\n').map((line) => ({ text: line.replace(/\r$/, ''), at }));
}

function fromBase64(body: readonly MailLine[]): readonly MailLine[] {
  const out: MailLine[] = [];
  let begun = null as MailLine | null;
  let rest = '';
  for (const { text, at } of body) {
    const digits = rest + text.replace(/[^A-Za-z0-9+/]/g, '');
    // Four digits are three bytes; the last group of all is shorter.
    const whole = /=\s*$/.test(text) ? digits.length : digits.length - (digits.length % 4);
    rest = digits.slice(whole);
    const [first = '', ...more] = binary(digits.slice(0, whole)).split('\n');
    begun = { text: (begun?.text ?? '') + first, at: begun?.at ?? at };
    for (const line of more) {
      out.push(begun);
      begun = { text: line, at };
    }
  }
  if (begun !== null) out.push({ ...begun, text: begun.text + binary(rest) });
  return out.map(({ text, at }) => ({ text: text.replace(/\r$/, ''), at }));
}

function binary(digits: string): string {
  return digits === '' ? '' : Buffer.from(digits, 'base64').toString('latin1');
}

/** Paragraphs that were broken where a line ends in a blank, and lines with a blank before what must not begin one. */
function unflowed(lines: readonly MailLine[], withoutBlank: boolean): readonly MailLine[] {
  // Some clients say so of texts that they leave alone: then a line of context has one blank before its tab, not two.
  if (lines.some(({ text }) => text.startsWith(' \t')) && !lines.some(({ text }) => text.startsWith('  \t'))) return lines;
  const out: MailLine[] = [];
  let open = null as MailLine | null;
  for (const { text, at } of lines) {
    const quoted = text.startsWith('>');
    const plain = text.startsWith(' ') ? text.slice(1) : text;
    if (quoted && open !== null) {
      out.push(open);
      open = null;
    }
    const line: MailLine = { text: (open?.text ?? '') + plain, at: open?.at ?? at };
    if (!quoted && plain.endsWith(' ') && plain !== '-- ' && text.trim() !== '') open = withoutBlank ? { ...line, text: line.text.slice(0, -1) } : line;
    else {
      out.push(line);
      open = null;
    }
  }
  return open === null ? out : [...out, open];
}

const WORD = /=\?([^?*\s]+)(?:\*[^?]*)?\?([QqBb])\?([^?\s]*)\?=/g;

/** A field with its encoded words (RFC 2047) as they are read. */
function words(value: string): string {
  return decoder('utf-8')(value).replace(/=\?[^?\s]+\?[QqBb]\?[^?\s]*\?=(?:\s+=\?[^?\s]+\?[QqBb]\?[^?\s]*\?=)*/g, (run) => {
    const found = [...run.matchAll(WORD)].map(([, charset = '', way = '', text = '']) => ({ charset: charset.toLowerCase(), bytes: way.toLowerCase() === 'b' ? binary(text) : fromHex(text.replace(/_/g, ' ')) }));
    // A character may be cut in two by the end of a word.
    return found.map(({ charset, bytes }, index) => (found[index - 1]?.charset === charset ? '' : decoder(charset)(bytes + tail(found.slice(index + 1), charset)))).join('');
  });
}

function tail(words: readonly { readonly charset: string; readonly bytes: string }[], charset: string): string {
  const end = words.findIndex((word) => word.charset !== charset);
  return words.slice(0, end === -1 ? undefined : end).map(({ bytes }) => bytes).join('');
}

/** From bytes as characters to text, of any charset that Node knows. */
function decoder(charset: string): (bytes: string) => string {
  const made = (() => {
    try {
      return new TextDecoder(charset);
    } catch {
      return new TextDecoder('utf-8');
    }
  })();
  return (bytes) => (/[\u0080-\u00ff]/.test(bytes) ? made.decode(Buffer.from(bytes, 'latin1')) : bytes);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

// The errors of a log by the published schema of SARIF 2.1.0. For tests only.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

const published = JSON.parse(readFileSync('node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json', 'utf8')) as Readonly<Record<string, unknown>>;

/** It is of draft 4; what it uses of that is the same in draft 7, but for its own name. */
const { id: _id, $schema: _draft, ...schema } = published;

const validate = new Ajv({
  allErrors: true,
  strict: false,
  // The pattern of `language` is none where `u` is set.
  unicodeRegExp: false,
  formats: {
    uri: (text: string) => URL.canParse(text),
    'uri-reference': /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/,
    'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  },
}).compile(schema);

export function sarifErrors(log: unknown): readonly unknown[] {
  return validate(JSON.parse(JSON.stringify(log))) ? [] : (validate.errors ?? []);
}

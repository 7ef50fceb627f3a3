import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { parseSidecar } from './annotation-sidecar.ts';

const example = `# accepted in this tree
entry/entry_64.S#asm_exc_nmi:
  - handler vector=NMI ist=NMI
  - allow XR-STK03 -- reads the word that it wrote itself
"kernel/mce.c#*":
  - 'allow XR-MC01 -- the hardware offers nothing better: accepted'
configs:
  default: [CONFIG_X86_64=y, CONFIG_XEN_PV=n]
known:
  - {rule: XR-MC01, at: kernel/mce.c#do_machine_check, reason: the window is documented, until: next series}
helpers:
  trace_entry: {nmi-safe: true, may-sleep: false, raises: []}
  copy_in: {raises: [VE, PF], enables-irq: false}
`;

const schema: unknown = JSON.parse(readFileSync('docs/schema/sidecar.schema.json', 'utf8'));
const fitsSchema = new Ajv2020({ strict: true, strictRequired: false }).compile(schema as object);

function messages(text: string): readonly string[] {
  return parseSidecar('.xctx.yaml', text).problems.map(({ place, message, suggestion }) => `${text.slice(place.span.start, place.span.end)}: ${message}${suggestion === null ? '' : ` [${suggestion}]`}`);
}

describe('sidecar files', () => {
  it('read the same directives as comments, with exact spans', () => {
    const sidecar = parseSidecar('.xctx.yaml', example);
    assert.deepEqual(sidecar.problems, []);
    assert.deepEqual(sidecar.subjects.map((subject) => [subject.path, subject.symbol, subject.directives.map((directive) => directive.kind)]), [
      ['entry/entry_64.S', 'asm_exc_nmi', ['handler', 'allow']],
      ['kernel/mce.c', null, ['allow']],
    ]);
    for (const { annotations } of sidecar.subjects) {
      for (const annotation of annotations) {
        for (const word of [annotation.keyword, ...annotation.arguments.map((argument) => argument.value)]) assert.equal(example.slice(word.span.start, word.span.end), word.text);
      }
    }
    assert.deepEqual(sidecar.configs.map((config) => [config.name, [...config.options]]), [['default', [['CONFIG_X86_64', 'y'], ['CONFIG_XEN_PV', 'n']]]]);
    assert.deepEqual(sidecar.known.map((known) => [known.rule, known.path, known.symbol, known.reason, known.until]), [['XR-MC01', 'kernel/mce.c', 'do_machine_check', 'the window is documented', 'next series']]);
    assert.deepEqual(sidecar.helpers.map((helper) => [helper.name, helper.nmiSafe, helper.maySleep, helper.enablesIrq, helper.raises]), [
      ['trace_entry', true, false, null, []],
      ['copy_in', null, null, false, ['VE', 'PF']],
    ]);
  });

  it('say what is wrong and how to mend it, as their schema does', () => {
    const cases: [string, readonly string[], 'form' | 'directive'][] = [
      ['confgs: {}', ['confgs: a sidecar file has no key `confgs`, write `configs` [configs]'], 'form'],
      ['a.c#: []', ['a.c#: `a.c#` names no symbol, write path#symbol, or path#* for the whole file'], 'form'],
      ['a.c#f: clears g', ['clears g: `a.c#f` is a list, not `clears g`'], 'form'],
      ['a.c#f: [{clears: g}]', ['{: a directive is a text, not a map'], 'form'],
      ['a.c#f: ["xctx: clears g"]', ['xctx: clears g: a directive in a sidecar file has no marker, remove `xctx:` [clears g]'], 'form'],
      ['a.c#f: [claers g]', ['claers: unknown annotation `claers`, write `clears` [clears]'], 'directive'],
      ['a.c#f: [allow XR-MC01]', ['allow XR-MC01: `allow` needs a reason, write `--` and one sentence behind it'], 'directive'],
      ['configs: {a: [X86=y]}', ['X86=y: an option cannot be `X86=y`, write CONFIG_NAME=y, m or n'], 'form'],
      ['known: [{rule: XR-MC01, at: a.c#f}]', ['{: a known finding lacks `reason`'], 'form'],
      ['helpers: {f: {nmi-saef: true}}', ['nmi-saef: helper `f` has no key `nmi-saef`, write `nmi-safe` [nmi-safe]'], 'form'],
      ['helpers: {f: {nmi-safe: 1}}', ['1: `nmi-safe` is true or false'], 'form'],
    ];
    for (const [text, expected, sort] of cases) {
      assert.deepEqual(messages(text), expected, text);
      // A schema sees a directive as one text.
      assert.equal(fitsSchema(parseYaml(text)), sort === 'directive', text);
    }
    assert.ok(fitsSchema(parseYaml(example)), JSON.stringify(fitsSchema.errors));
  });

  it('never throw on a mutation of a good file', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(example.length), fc.nat(8), fc.string({ maxLength: 5 })), { minLength: 1, maxLength: 6 }), (edits) => {
        let text = example;
        for (const [at, removed, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + removed);
        for (const { place } of parseSidecar('.xctx.yaml', text).problems) assert.ok(0 <= place.span.start && place.span.start <= place.span.end && place.span.end <= text.length);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { annotationKeywords, keywordPage } from './annotation-keywords.ts';
import type { Comment } from './annotation-lines.ts';
import { completeAnnotation, hoverAnnotation, parseAnnotations } from './annotations.ts';
import type { AnnotationSet } from './annotation-types.ts';

function commentsOf(text: string): readonly Comment[] {
  return [...text.matchAll(/\/\*[^]*?(?:\*\/|$)|(?:\/\/|#|(?<!\S);)[^\n]*/g)].map((match) => ({ span: { start: match.index, end: match.index + match[0].length }, text: match[0] }));
}

function parse(text: string): AnnotationSet {
  return parseAnnotations('demo.c', text, commentsOf(text));
}

function messages(text: string): readonly string[] {
  return parse(text).problems.map((problem) => `${text.slice(problem.place.span.start, problem.place.span.end)}: ${problem.message}${problem.suggestion === null ? '' : ` [${problem.suggestion}]`}`);
}

const example = `/*
 * xctx: guard ve_page.busy set=hw clear=store clears=deferred fallback=vmexit protects=stack,info
 * xctx: why https://example.org/?a=b -- report host memory failure as a fault
 */
struct ve_page { unsigned reason, busy; };

/* The handler proper. */
/*
 * xctx: handler vector=VE ist=VE gate=int dpl=0 origin=any err=no
 * xctx: defers-to sysvec_ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- host keeps the vCPU stopped
 */
DEFINE_IDTENTRY_IST(exc_demo_ve) { }

// xctx: clears ve_page.busy
void sysvec_ve_rearm(void) { }
`;

describe('annotations', () => {
  it('reads the complete design of the catalogue without a problem', () => {
    const set = parse(example);
    assert.deepEqual(set.problems, []);
    assert.deepEqual(set.directives.map((directive) => directive.kind), ['guard', 'why', 'handler', 'defers-to', 'fallback-ok', 'clears']);
    const [guard, why, handler] = set.directives;
    assert.ok(guard?.kind === 'guard' && why?.kind === 'why' && handler?.kind === 'handler');
    assert.deepEqual([guard.name, guard.set, guard.clear, guard.clears, guard.fallback, guard.protects], ['ve_page.busy', 'hw', 'store', 'deferred', 'vmexit', ['stack', 'info']]);
    assert.equal(why.url, 'https://example.org/?a=b');
    assert.deepEqual([handler.vector, handler.ist, handler.gate, handler.dpl, handler.origin, handler.errorCode], ['VE', 'VE', 'int', 0, 'any', false]);
  });

  it('gives the exact span of every word', () => {
    for (const annotation of parse(example).annotations) {
      const words = [annotation.keyword, ...(annotation.reason === null ? [] : [annotation.reason]), ...annotation.arguments.flatMap(({ key, value }) => (key === null ? [value] : [key, value]))];
      for (const word of words) assert.equal(example.slice(word.span.start, word.span.end), word.text);
      assert.ok(example.slice(annotation.span.start).startsWith('xctx:'));
      assert.doesNotMatch(example.slice(annotation.span.start, annotation.span.end), /\n|\s$/);
    }
  });

  it('finds the code that each comment is about', () => {
    const cases: [string, string][] = [
      ['/* xctx: clears a */\nvoid f(void)', 'void f'],
      ['/* xctx: clears a */\n\n/* more */\n// and more\nvoid f(void)', 'void f'],
      ['/* xctx: clears a */ void f(void)', 'void f'],
      ['\tpushq %rax\n\tmovq %rax, %rsp\t# xctx: stack moved\n\tret', 'movq %rax, %rsp'],
      ['\tmovq %rax, %rsp\n\t# xctx: stack moved\n\tret', 'ret'],
      ['struct s {\n\tint a;\n\tint /* the word */ busy; /* xctx: clears a */\n};', 'int /* the word'],
      ['/* before */ ; xctx: clears a\nnop', 'nop'],
      ['/* before */ nop ; xctx: clears a\nret', 'nop'],
      ['/* one\n two */ nop /* between */ # xctx: clears a\nret', 'nop'],
    ];
    for (const [text, code] of cases) {
      const [annotation] = parse(text).annotations;
      assert.ok(annotation !== undefined, text);
      assert.ok(text.slice(annotation.subjectOffset).startsWith(code), `${text} -> ${text.slice(annotation.subjectOffset)}`);
    }
    assert.equal(parse('nop\n# xctx: clears a\n').annotations[0]?.subjectOffset, 'nop\n# xctx: clears a\n'.length);
  });

  it('takes time in proportion to the text, however many comments follow each other', () => {
    const lines = 20_000;
    const set = parse('// xctx: clears a\n'.repeat(lines));
    assert.equal(set.directives.length, lines);
    assert.ok(set.annotations.every((annotation) => annotation.subjectOffset === '// xctx: clears a\n'.length * lines));
  }).timeout(5_000);

  it('reads every comment form', () => {
    for (const text of ['/* xctx: clears a */', '// xctx: clears a', '# xctx: clears a', '; xctx: clears a', '/*\n * xctx: clears a\n */', '/*xctx: clears a*/', '/**\n\txctx: clears a\r\n*/', '/* xctx: clears a']) {
      const [directive] = parse(text).directives;
      assert.ok(directive?.kind === 'clears' && directive.guard === 'a', text);
    }
    assert.deepEqual(parse('/* prose that names xctx: clears a */').annotations, []);
  });

  it('says what is wrong and how to mend it', () => {
    const cases: [string, readonly string[]][] = [
      ['# xctx: gaurd a', ['gaurd: unknown annotation `gaurd`, write `guard` [guard]']],
      ['# xctx: clears', ['clears: `clears` names nothing, write `clears NAME`']],
      ['# xctx: clears a b', ['b: `b` is one word too many in `clears`, remove it or write `--` before a reason']],
      ['# xctx: clears a xctx: clears b', ['xctx:: a second directive stands on this line, write one on each', 'clears: `clears` is one word too many in `clears`, remove it or write `--` before a reason', 'b: `b` is one word too many in `clears`, remove it or write `--` before a reason']],
      ['# xctx: handler vctor=VE', ['vctor: `handler` has no key `vctor`, write `vector` [vector]']],
      ['# xctx: handler vector=VE gate=itn', ['itn: `gate` cannot be `itn`, write `int` [int]']],
      ['# xctx: handler vector=256', ['256: vector 256 does not exist, vectors are 0 to 255']],
      ['# xctx: handler vector=VE vector=NMI', ['vector: `vector` is given twice, remove one of them']],
      ['# xctx: handler vector', ['vector: `vector` has no value, write `vector=NAME`']],
      ['# xctx: handler vector=', [': `vector` has an empty value, write a name']],
      ['# xctx: defers-to f', ['defers-to: `defers-to` needs `via=self-ipi|irq-work|task-work|landing-pad|hypercall`']],
      ['# xctx: allow XR-VE01', ['xctx: allow XR-VE01: `allow` needs a reason, write `--` and one sentence behind it']],
      ['# xctx: allow XR-VE01 --', ['--: `--` has no reason behind it, write one sentence or remove it']],
      ['# xctx: allow XR-VE01 --known', ['--known: a reason follows `--` and a blank, not `--known` [-- known]']],
      ['# xctx: never-in entry', ['xctx: never-in entry: `never-in` needs a reason, write `--` and one sentence behind it']],
      ['# xctx: guard g set=hw clear=store fallback=vmexit protects=stack,inof', ['inof: `protects` cannot be `inof`, write `info` [info]']],
      ['# XCTX: clears a', ['XCTX:: `XCTX:` opens no annotation, write `xctx:` [xctx:]']],
      ['# xctx clears a', ['xctx: `xctx` opens no annotation, write `xctx:` [xctx:]']],
    ];
    for (const [text, expected] of cases) assert.deepEqual(messages(text), expected, text);
  });

  it('drops a broken optional key and keeps the directive, and drops a directive that lacks a required part', () => {
    assert.equal(parse('# xctx: handler vector=VE orign=any').directives.length, 1);
    for (const text of ['# xctx: allow XR-VE01', '# xctx: guard g set=hw', '# xctx: clears', '# xctx: stack moves']) {
      assert.deepEqual(parse(text).directives, [], text);
      assert.equal(parse(text).annotations.length, 1, text);
    }
  });

  it('accepts its own examples and shows each keyword on hover', () => {
    for (const row of annotationKeywords) {
      const text = `# ${row.example}`;
      const set = parse(text);
      assert.deepEqual(set.problems, [], row.name);
      assert.equal(set.directives[0]?.kind, row.name);
      const hover = hoverAnnotation(set, text.indexOf(row.name) + 1);
      assert.ok(hover !== null && hover.markdown.includes(row.summary), row.name);
      assert.equal(text.slice(hover.span.start, hover.span.end), row.name);
    }
  });

  it('has the user guide say what the table says', () => {
    const guide = readFileSync('docs/annotations.md', 'utf8');
    assert.deepEqual([...guide.matchAll(/^### (.*)$/gm)].map((match) => match[1]), annotationKeywords.map((row) => row.name));
    for (const row of annotationKeywords) assert.ok(guide.includes(`### ${row.name}\n\n${keywordPage(row)}\n`), row.name);
  });

  it('hovers keys, values and reasons, and nothing else', () => {
    const text = 'nop # xctx: handler vector=VE -- because';
    const set = parse(text);
    assert.match(hoverAnnotation(set, text.indexOf('VE'))?.markdown ?? '', /`vector` of `handler`/);
    assert.match(hoverAnnotation(set, text.indexOf('because'))?.markdown ?? '', /^Reason of `handler`/);
    assert.equal(hoverAnnotation(set, 1), null);
  });

  it('never throws, and keeps every span inside the file, on any mutation of a good file', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(example.length), fc.nat(6), fc.string({ maxLength: 6 })), { maxLength: 8 }), (edits) => {
        let text = example;
        for (const [at, removed, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + removed);
        const set = parse(text);
        for (const problem of set.problems) assert.ok(0 <= problem.place.span.start && problem.place.span.start <= problem.place.span.end && problem.place.span.end <= text.length);
        for (const annotation of set.annotations) {
          assert.equal(text.slice(annotation.keyword.span.start, annotation.keyword.span.end), annotation.keyword.text);
          assert.ok(annotation.subjectOffset <= text.length);
        }
        for (const [at] of edits) completeAnnotation(text, Math.min(at, text.length), { guards: [], functions: [], rules: [], vectors: [] });
      }),
    );
  });
});

describe('completion in annotations', () => {
  const names = { guards: ['ve_page.busy'], functions: ['rearm'], rules: ['XR-VE01'], vectors: ['VE', 'NMI'] };
  const labels = (marked: string): readonly string[] => completeAnnotation(marked.replace('|', ''), marked.indexOf('|'), names).map((entry) => entry.label);
  const applied = (marked: string, label: string): string => {
    const text = marked.replace('|', '');
    const entry = completeAnnotation(text, marked.indexOf('|'), names).find((candidate) => candidate.label === label);
    assert.ok(entry !== undefined, `${label} is offered in ${marked}`);
    return text.slice(0, entry.span.start) + entry.insert + text.slice(entry.span.end);
  };

  it('offers what can stand at the cursor', () => {
    const keywords = annotationKeywords.map((row) => row.name);
    const cases: [string, readonly string[]][] = [
      ['/* xctx:| */', keywords],
      [' * xctx: gu|', keywords],
      ['# xctx: clears |', ['ve_page.busy']],
      ['// xctx: allow |', ['XR-VE01']],
      ['# xctx: defers-to |', ['rearm']],
      ['# xctx: defers-to rearm |', ['via=']],
      ['# xctx: stack |', ['task', 'irq', 'entry', 'ist', 'moved']],
      ['# xctx: stack moved |', ['below-rsp=', '--']],
      ['# xctx: handler vector=|', ['VE', 'NMI']],
      ['# xctx: may-raise VE,|', ['NMI', 'any']],
      ['# xctx: guard a clear=|', ['store', 'wrmsr', 'tdcall', 'vmgexit', 'call:rearm']],
      ['# xctx: guard a set=hw protects=stack,|', ['info']],
      ['# xctx: clears a -- |', []],
      ['/* xctx: clears a */ f(|', []],
      ['int xctx: |', []],
      ['nop |', []],
    ];
    for (const [text, expected] of cases) assert.deepEqual(labels(text), expected, text);
  });

  it('replaces the typed part of the word', () => {
    assert.equal(applied('/* xctx:| */', 'clears'), '/* xctx: clears */');
    assert.equal(applied(' * xctx: gu|x', 'guard'), ' * xctx: guard');
    assert.equal(applied('# xctx: handler vector=V|', 'VE'), '# xctx: handler vector=VE');
    assert.equal(applied('# xctx: guard a protects=stack,i|', 'info'), '# xctx: guard a protects=stack,info');
    assert.equal(applied('# xctx: handler vec|', 'vector='), '# xctx: handler vector=');
  });
});

// XR-ANN02: an annotation says one thing and the code, the IDT or another annotation another. Neither is preferred: both
// places are shown.
import type { Place } from '../base/span.ts';
import { vectorByNumber, vectorTitle } from '../machine/vectors.ts';
import { subjectOf, vectorNumber } from '../program/gates.ts';
import type { IdtRow } from '../program/c-source.ts';
import type { Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import { reachedFrom } from './call-tree.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';

type Handler = Directive & { readonly kind: 'handler' };
type GuardLine = Directive & { readonly kind: 'guard' };

/** The span of one key of an annotation, else the whole. */
function placeOfKey(directive: Directive, key: string): Place {
  const argument = directive.annotation.arguments.find((one) => one.key?.text === key);
  return argument === undefined ? directive.place : { file: directive.place.file, span: { start: argument.key?.span.start ?? argument.value.span.start, end: argument.value.span.end } };
}

function contradiction(place: Place, message: string, other: Place | null, said: string): Judgement {
  return { place, message, premises: [], related: other === null ? [] : [{ place: other, message: said }] };
}

function stackOfRow(row: IdtRow): string {
  return row.ist === null ? 'none' : row.ist.replace(/^IST_INDEX_/, '');
}

function againstTable(program: Program, handler: Handler, vector: number): readonly Judgement[] {
  const row = program.sources.flatMap((source) => source.idtRows).filter((one) => vectorNumber(one.vector, program.sources) === vector).at(-1);
  if (row === undefined) return [];
  const out: Judgement[] = [];
  const said = 'the IDT row';
  if (handler.ist !== null && handler.ist !== stackOfRow(row)) {
    out.push(contradiction(placeOfKey(handler, 'ist'), `the annotation says ist=${handler.ist}, the IDT row of ${vectorTitle(vector)} says ${stackOfRow(row)}; correct one of them`, row.place, said));
  }
  if (handler.dpl !== null && handler.dpl !== row.dpl) out.push(contradiction(placeOfKey(handler, 'dpl'), `the annotation says dpl=${handler.dpl}, ${row.macro}() of ${vectorTitle(vector)} makes it ${row.dpl}; correct one of them`, row.place, said));
  const subject = subjectOf(handler, program);
  const stub = program.code.symbols.get(row.stub);
  if (subject !== null && stub !== undefined && subject.name !== row.stub && !reachedFrom(program, row.stub).has(subject.name)) {
    out.push(contradiction(placeOfKey(handler, 'vector'), `the annotation says that ${subject.name} handles ${vectorTitle(vector)}, but the IDT row goes to ${row.stub}, which does not call it; correct one of them`, row.place, said));
  }
  return out;
}

function handlers(program: Program): readonly Judgement[] {
  const out: Judgement[] = [];
  const first = new Map<number, Handler>();
  for (const directive of program.directives) {
    if (directive.kind !== 'handler' || directive.vector === null) continue;
    const vector = vectorNumber(directive.vector, program.sources);
    if (vector === null) continue;
    const known = vectorByNumber(vector);
    if (directive.errorCode !== null && known !== null && known.errorCode !== directive.errorCode) {
      out.push(contradiction(placeOfKey(directive, 'err'), `the annotation says err=${directive.errorCode ? 'yes' : 'no'}, but the CPU pushes ${known.errorCode ? 'an' : 'no'} error code for ${known.mnemonic}; correct it`, null, ''));
    }
    out.push(...againstTable(program, directive, vector));
    const before = first.get(vector);
    if (before === undefined) first.set(vector, directive);
    else if (before.ist !== null && directive.ist !== null && before.ist !== directive.ist) {
      out.push(contradiction(placeOfKey(directive, 'ist'), `${vectorTitle(vector)} has ist=${directive.ist} here and ist=${before.ist} in another annotation; keep one`, before.place, 'the other annotation'));
    }
  }
  return out;
}

function guards(program: Program): readonly Judgement[] {
  const out: Judgement[] = [];
  const first = new Map<string, GuardLine>();
  const declared = program.directives.filter((one): one is GuardLine => one.kind === 'guard');
  for (const guard of declared) {
    const before = first.get(guard.name);
    if (before === undefined) first.set(guard.name, guard);
    else if (textOf(before) !== textOf(guard)) out.push(contradiction(guard.place, `${guard.name} is declared twice, with different properties; keep one`, before.place, 'the other declaration'));
    const missing = missingField(program, guard.name);
    if (missing !== null) out.push(contradiction(guard.place, `${missing.type} has no field ${missing.field}, so ${guard.name} is no word of this program; name the field`, missing.place, missing.type));
  }
  for (const directive of program.directives) {
    if (directive.kind !== 'clears' || declared.length === 0 || declared.some((guard) => guard.name === directive.guard)) continue;
    out.push(contradiction(directive.place, `no guard is called ${directive.guard}, the unit declares ${[...first.keys()].join(', ')}; name one of them`, declared[0]?.place ?? null, 'the guard'));
  }
  return out;
}

function textOf(guard: GuardLine): string {
  return guard.annotation.arguments.map((one) => `${one.key?.text ?? ''}=${one.value.text}`).sort().join(' ');
}

/** The first step of `variable.field` that its struct, where it is in view, does not have. */
function missingField(program: Program, name: string): { readonly type: string; readonly field: string; readonly place: Place } | null {
  const [variableName, ...path] = name.split('.');
  const bare = (type: string): string => type.replace(/^(struct|union)\s+/, '').trim();
  let type = program.sources.flatMap((source) => source.variables).find((one) => one.name === variableName)?.type;
  for (const step of path) {
    const struct = type === undefined ? undefined : program.sources.flatMap((source) => source.structs).find((one) => bare(one.name) === bare(type ?? ''));
    if (struct === undefined) return null;
    const field = struct.fields.find((one) => one.name === step);
    if (field === undefined) return { type: `struct ${bare(struct.name)}`, field: step, place: struct.place };
    type = field.type;
  }
  return null;
}

function inspect({ program }: Inspection): readonly Judgement[] {
  return [...handlers(program), ...guards(program)];
}

function design(annotation: string, row: string): string {
  return `${annotation}
void demo_gp(struct pt_regs *regs)
{
}

static const struct idt_data idt[] = {
	${row},
};
`;
}

const stub = `.globl asm_demo_gp
asm_demo_gp:
	call	demo_gp
	addq	$8, %rsp
	iretq
`;

export const contradictoryAnnotation: Rule = {
  name: 'contradictory-annotation',
  id: 'XR-ANN02',
  group: 'Annotations',
  severity: 'error',
  summary: 'an annotation contradicts the IDT, the code or another annotation',
  why: 'An annotation stands in for what the tool cannot see. Where it can see it and it is different, one of the two is wrong, and everything that was judged on it is too.',
  instead: 'Correct the one that is wrong; an annotation that repeats what the code says can be deleted.',
  falsePositives: ['Where no table is in view, the annotation is all there is.'],
  references: ['docs/annotations.md'],
  bad: [
    { title: 'IST in the annotation, none in the table', files: { 'design.c': design('/* xctx: handler vector=GP ist=GP */ //~ contradictory-annotation', 'INTG(X86_TRAP_GP, asm_demo_gp)'), 'entry.S': stub } },
    { title: 'An error code that the CPU does not push', files: { 'design.c': '/* xctx: handler vector=DE err=yes */ //~ contradictory-annotation\nvoid demo_de(struct pt_regs *regs)\n{\n}\n' } },
    {
      title: 'A guard that is no field',
      files: {
        'design.c': `struct ve_page { u32 reason, busy; };
DEFINE_PER_CPU(struct ve_page, ve_page);
/*
 * xctx: why https://lore.kernel.org/r/msgid -- report failed host memory as a fault
 */
/* xctx: guard ve_page.bussy set=hw clear=store fallback=vmexit protects=info */ //~ contradictory-annotation
static u64 count;
`,
      },
    },
  ],
  good: [{ title: 'Both say the same', files: { 'design.c': design('/* xctx: handler vector=GP ist=none err=yes */', 'INTG(X86_TRAP_GP, asm_demo_gp)'), 'entry.S': stub } }],
  judge: null,
  inspect,
  fix: null,
};

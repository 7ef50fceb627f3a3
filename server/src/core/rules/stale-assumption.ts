// XR-ANN05: an assumption about something that is gone, or that is not what it was when the assumption was made.
import type { Place } from '../base/span.ts';
import { absentFeature } from '../kernel/variants.ts';
import type { Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';

type Assume = Directive & { readonly kind: 'assume' };

/** FNV-1a of the text with blanks normalised, as `hash=` holds it. */
export function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text.replace(/\s+/g, ' ').trim()) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

function textOf(inspection: Inspection, subject: string): string | null {
  const source = inspection.program.functions.get(subject)?.source;
  return source === null || source === undefined ? null : (inspection.text(source.file)?.slice(source.span.start, source.span.end) ?? null);
}

/** Defined here, or called and left to another file. */
function isKnown(program: Program, subject: string): boolean {
  if (program.functions.has(subject) || program.code.symbols.has(subject)) return true;
  if (program.sources.some((source) => source.variables.some((one) => one.name === subject) || source.structs.some((one) => one.name === subject) || source.constants.has(subject))) return true;
  const word = new RegExp(`(?<![\\w.])${subject.replace(/[^\w]/g, '\\$&')}(?!\\w)`);
  return program.code.nodes.some((node) => word.test(node.text));
}

function inspect(inspection: Inspection): readonly Judgement[] {
  const { program } = inspection;
  const out: Judgement[] = [];
  for (const directive of program.directives) {
    if (directive.kind !== 'assume' || absentFeature(directive.subject) !== null) continue;
    const text = textOf(inspection, directive.subject);
    if (!isKnown(program, directive.subject)) {
      out.push({ place: directive.place, message: `${directive.subject} is neither defined nor used here any more: the assumption is about nothing; delete it or name what it is about`, premises: [] });
    } else if (directive.hash !== null && text !== null && hashOf(text) !== directive.hash) {
      out.push({ place: directive.place, message: `${directive.subject} is not what it was when this was assumed: its text has the hash ${hashOf(text)}; read it again and write that`, premises: [] });
    }
  }
  return out;
}

/** Writes the hash of the text as it is now. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const assume = inspection.program.directives.find((one): one is Assume => one.kind === 'assume' && one.place.file === place.file && one.place.span.start === place.span.start);
  const argument = assume?.annotation.arguments.find((one) => one.key?.text === 'hash');
  const text = assume === undefined ? null : textOf(inspection, assume.subject);
  if (assume === undefined || argument === undefined || text === null) return null;
  return { title: 'The assumption still holds', edits: [{ place: { file: place.file, span: argument.value.span }, newText: hashOf(text) }] };
}

function design(assume: string): string {
  return `/* ${assume} */${assume.includes('trace_gone') || assume.includes('00000000') ? ' //~ stale-assumption' : ''}
static u64 count;

static void trace_hook(void)
{
	count++;
}

/* xctx: handler vector=DE */
void demo_de(struct pt_regs *regs)
{
	trace_hook();
}
`;
}

export const staleAssumption: Rule = {
  name: 'stale-assumption',
  id: 'XR-ANN05',
  group: 'Annotations',
  severity: 'info',
  summary: 'an assumption is about something that is gone or was changed',
  why: 'Every verdict lists the assumptions it rests on. One whose subject was renamed or rewritten is listed all the same, and nobody has looked at it since.',
  instead: 'Delete it, name the new subject, or read the subject again and write its hash.',
  falsePositives: ['A function that is called here and defined elsewhere is a subject that exists.'],
  references: ['docs/annotations.md, "assume"'],
  bad: [
    { title: 'The function is gone', files: { 'design.c': design('xctx: assume trace_gone -- never touches memory that can fail') } },
    { title: 'The function was changed', files: { 'design.c': design('xctx: assume trace_hook hash=00000000 -- never touches memory that can fail') } },
  ],
  good: [{ title: 'The function is there', files: { 'design.c': design('xctx: assume trace_hook -- never touches memory that can fail') } }],
  judge: null,
  inspect,
  fix,
};

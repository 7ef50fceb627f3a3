// Guards of a unit: declared by annotation, with the word they stand for found through the types in view.
import { PERCPU_REGION, regionBase } from '../machine/layout.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { CSource, CVariable } from './c-source.ts';
import { INVENTED_BYTES, inventedOffset } from './c-types.ts';
import type { Guard, Handler } from './program.ts';

interface Parts {
  readonly sources: readonly CSource[];
  readonly directives: readonly Directive[];
}

interface Places {
  readonly percpu: ReadonlyMap<string, number>;
  readonly addressOf: (name: string, perCpu: boolean) => bigint;
}

export function guardsOf(parts: Parts, places: Places, handlers: readonly Handler[]): readonly Guard[] {
  const out: Guard[] = [];
  for (const directive of parts.directives) {
    if (directive.kind !== 'guard' || out.some((guard) => guard.name === directive.name)) continue;
    const machineBit = /^(mcip|mcg_status(\.mcip)?)$/i.test(directive.name) ? 'mcip' : null;
    const word = machineBit === null ? wordOf(directive.name, parts.sources, places) : null;
    const vector = machineBit === 'mcip' ? 18 : vectorOf(directive, handlers);
    out.push({
      name: directive.name,
      vector,
      address: word?.address ?? null,
      size: word?.size ?? 8,
      machineBit,
      info: word?.info ?? { start: 0n, end: 0n },
      // A host that injects anything but the paravirtual #PF does so at the access that failed, as hardware would.
      setBy: directive.set === 'host' && vector !== 14 ? 'module' : directive.set,
      fallback: directive.fallback,
      clears: directive.clears,
      protects: directive.protects,
      place: directive.place,
      implicit: false,
    });
  }
  return out;
}

/** Hardware's word is that of #VE, the host's that of the paravirtual #PF (semantics.md §22). */
function vectorOf(directive: Directive & { kind: 'guard' }, handlers: readonly Handler[]): number {
  if (directive.set === 'host' && (handlers.some((handler) => handler.vector === 14) || !handlers.some((handler) => handler.vector === 20))) return 14;
  const declared = handlers.find((handler) => handler.vector < 32 && handler.vector !== 2 && handler.vector !== 14);
  return handlers.some((handler) => handler.vector === 20) ? 20 : (declared?.vector ?? 20);
}

/** Whether C code in view names a member so. */
function named(member: string, sources: readonly CSource[]): boolean {
  const use = new RegExp(`(?:->|\\.)${member}\\b`);
  return sources.some((source) => source.functions.some((one) => one.operations.some(({ text }) => use.test(text))));
}

/** Variables that guards name: where no declaration is in view they have room for members all the same. */
export function guardVariables(directives: readonly Directive[], sources: readonly CSource[]): readonly CVariable[] {
  return directives.flatMap((directive): readonly CVariable[] => {
    const [name = '', member] = directive.kind === 'guard' ? directive.name.split('.') : [];
    if (member === undefined) return [];
    const declared = sources.flatMap((source) => source.variables).find((one) => one.name === name);
    return declared !== undefined && declared.size > 8 ? [] : [{ name, area: declared?.area ?? 'percpu', size: INVENTED_BYTES, type: declared?.type ?? '', place: directive.place }];
  });
}

/** The type of a variable that no source declares: a struct in view with its name, or the only one with the member. */
function typeByName(name: string, member: string | undefined, sources: readonly CSource[]): string {
  if (member === undefined) return '';
  const having = sources.flatMap((source) => source.structs).filter((one) => one.fields.some((field) => field.name === member));
  return (having.find((one) => one.name.replace(/^(?:struct|union)\s+/, '') === name) ?? (having.length === 1 ? having[0] : undefined))?.name ?? '';
}

interface GuardWord {
  readonly address: bigint;
  readonly size: 1 | 2 | 4 | 8;
  readonly info: { readonly start: bigint; readonly end: bigint };
}

/** `page.busy`: a variable's field; `word`: a variable. Unknown variables get a place of their own. */
export function wordOf(name: string, sources: readonly CSource[], places: Places): GuardWord {
  const [variableName = name, ...path] = name.split('.');
  const variable = sources.flatMap((source) => source.variables).find((one) => one.name === variableName);
  const perCpu = variable?.area !== 'global';
  const base = places.addressOf(variableName, perCpu) + (perCpu ? regionBase(PERCPU_REGION) : 0n);
  let offset = 0;
  let size = variable?.size ?? 8;
  let type = variable?.type ?? typeByName(variableName, path[0], sources);
  for (const step of path) {
    const struct = sources.flatMap((source) => source.structs).find((one) => type.replace(/^(struct|union)\s+/, '').trim() === one.name.replace(/^(struct|union)\s+/, ''));
    const field = struct?.fields.find((one) => one.name === step);
    if (field === undefined && struct === undefined && named(step, sources)) {
      offset += inventedOffset(step);
      size = 8;
      return { address: base + BigInt(offset), size: 8, info: { start: base, end: base + BigInt(INVENTED_BYTES) } };
    }
    if (field === undefined) {
      offset += size === 8 ? 4 : 0;
      size = 4;
      break;
    }
    offset += field.offset;
    size = field.size;
    type = field.type;
  }
  const width = size === 1 || size === 2 || size === 4 ? size : 8;
  const end = base + BigInt(variable?.size ?? 8);
  return { address: base + BigInt(offset), size: width, info: { start: base, end: path.length === 0 ? base : end } };
}


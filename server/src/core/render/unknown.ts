// What the tool does not know, or takes for granted, as sentences. Pure text; which of them a reader sees is the caller's.
import { unreachable } from '../base/unreachable.ts';
import type { StackByName } from '../program/unknown.ts';
import type { RunReport, Unknown } from '../review-types.ts';
import type { Locate } from './places.ts';

export function unknownText(unknown: Unknown, locate: Locate): string {
  switch (unknown.kind) {
    case 'unfinished': {
      const { runs, bounds } = unknown;
      const distinct = [...new Set(bounds)];
      return `not explored to its end: ${runs[0] ?? ''}${runs.length > 1 ? ` and ${runs.length - 1} more` : ''}: bound hit: ${distinct.slice(0, MOST_BOUNDS).join(', ')}${distinct.length > MOST_BOUNDS ? ` and ${distinct.length - MOST_BOUNDS} more` : ''}`;
    }
    case 'not-judged':
      return `nothing says which event enters ${unknown.first}${unknown.others === 0 ? '' : ` and ${unknown.others} more`}, so that it is not judged: write it above it, as /* xctx: handler vector=GP ist=none */`;
    case 'out-of-view':
      return `${unknown.name}() is not in view`;
    case 'jumps-away':
      return `${unknown.name} is not in view, and not followed`;
    case 'entry-routine':
      return `${unknown.name} is taken for Linux's, which is not in view: it saves what general registers the stub has not, and loads the kernel's CR3 and GS base${unknown.name === 'error_entry' ? ' where user mode was interrupted' : ''}; called on anything but the word of the error code or whole pt_regs, it is not followed`;
    case 'operand':
      return `${unknown.text}: an operand is not known`;
    case 'macro': {
      const { name, symbols } = unknown;
      const code = symbols.filter((symbol) => symbol !== '');
      const what = name === '...' ? '... leaves code out' : `${name} is no instruction and no macro in view`;
      return `${what}: what comes behind it${code.length === 0 ? '' : ` in ${code.slice(0, 3).join(', ')}${symbols.length > 3 ? ' and others' : ''}`} is not judged`;
    }
    case 'left-out':
      return `... leaves code out of ${unknown.function}(): what may be done there is not said to be missing`;
    case 'stack-write':
      return `${unknown.symbol}: ${unknown.text} changes the stack that an event comes on: what that does is not followed, and nothing is said of frames on IST stacks`;
    case 'assumed-word':
      return `${unknown.text} is taken to hold ${unknown.holds === 'per-CPU base' ? "the base of this CPU's per-CPU area" : 'the top of the task stack'}: nothing in view sets it`;
    case 'syscall-entry':
      return `${unknown.name} is taken for the entry of SYSCALL by what it does: it keeps RSP in a per-CPU word and loads another`;
    case 'syscall-exit':
      return `${unknown.name} is taken for the way out to user mode by how it ends: pt_regs of user mode lie where RSP points at its beginning`;
    case 'by-name': {
      const { name, code, event, stack } = unknown;
      return `${code === 'handler' ? `${name}()` : name} is taken for the ${code} of ${event} by its name, ${stackText(stack)}: a handler annotation says otherwise`;
    }
    case 'unread': {
      const { file, line } = locate(unknown.place);
      return `${file}:${line}: ${unknown.message}`;
    }
    default:
      return unreachable(unknown);
  }
}

/** Of one sentence. */
const MOST_BOUNDS = 3;

function stackText(stack: StackByName): string {
  switch (stack.kind) {
    case 'none':
      return 'without an IST stack';
    case 'nesting-safe':
      return 'on an IST stack on which its stub lets it nest';
    case 'ist':
      return `on the IST stack ${stack.name}`;
    default:
      return unreachable(stack);
  }
}

type Unfinished = Unknown & { readonly kind: 'unfinished' };

/** What runs left open: one for each bound, with the runs that hit it. */
export function unfinishedOf(reports: readonly RunReport[]): readonly Unfinished[] {
  const byBound = new Map<string, { readonly runs: string[]; readonly bounds: readonly string[] }>();
  for (const { scenario, design, start, verdict, boundsHit } of reports) {
    if (verdict !== 'inconclusive') continue;
    const key = `${design}|${boundsHit.join(', ')}`;
    const known = byBound.get(key) ?? { runs: [], bounds: boundsHit };
    byBound.set(key, known);
    known.runs.push(`${scenario}${design === '' ? '' : ` of ${design}`} from ${start}`);
  }
  return [...byBound.values()].map(({ runs, bounds }): Unfinished => ({ kind: 'unfinished', runs, bounds }));
}

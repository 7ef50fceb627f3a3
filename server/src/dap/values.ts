// What a reader expands: scopes of a frame and the rows below them, by the references of the protocol. References hold
// until the replay moves.
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Playback, Row, Watch } from '../core/review-types.ts';

type Shown = Row & { readonly below?: () => readonly Shown[]; readonly path?: string };

export interface Values {
  readonly scopes: (position: number, frame: number) => DebugProtocol.Scope[];
  /** null for a reference that holds no more. */
  readonly variables: (reference: number) => DebugProtocol.Variable[] | null;
  readonly rowOf: (reference: number, name: string) => Row | null;
  readonly forget: () => void;
}

export function createValues(playback: Playback): Values {
  let rows: (() => readonly Shown[])[] = [];

  function referenceTo(below: () => readonly Shown[]): number {
    let kept: readonly Shown[] | null = null;
    return rows.push(() => (kept ??= below()));
  }

  function scope(name: string, below: () => readonly Shown[], hint?: 'locals' | 'registers'): DebugProtocol.Scope {
    return { name, variablesReference: referenceTo(below), expensive: false, ...(hint === undefined ? {} : { presentationHint: hint }) };
  }

  function variable(row: Shown): DebugProtocol.Variable {
    return {
      name: row.name,
      value: row.value,
      variablesReference: row.below === undefined ? 0 : referenceTo(row.below),
      presentationHint: { attributes: ['readOnly'] },
      ...(row.below === undefined ? { evaluateName: row.path ?? row.name } : {}),
    };
  }

  return {
    scopes: (position, frame) => {
      const locals = playback.locals(position, frame);
      const saved = playback.saved(position, frame);
      return [
        ...(frame === 0 ? [scope('Changed by the last step', () => playback.changed(position).map((row) => ({ ...row, path: row.name.replace(/(top-0x[0-9a-f]+) .*$/, '$1') })))] : []),
        ...(locals.length > 0 ? [scope('Locals', () => locals, 'locals')] : []),
        ...(saved.length > 0 ? [scope('What the return must find again', () => saved.map((row) => ({ ...row, path: '' })))] : []),
        scope('Registers', () => playback.registers(position), 'registers'),
        scope('Flags and control', () => playback.control(position), 'registers'),
        scope('Stacks', () =>
          playback.stacks(position).map(({ name, detail, slots }) => ({
            name,
            value: detail,
            watch: null,
            below: () => slots.map((slot) => ({ ...slot, path: `${name} ${slot.name.split(' ', 1)[0] ?? ''}` })),
          })),
        ),
        scope('Per-CPU words and guards', () => playback.words(position)),
      ];
    },
    variables: (reference) => rows[reference - 1]?.().map(variable) ?? null,
    rowOf: (reference, name) => rows[reference - 1]?.().find((row) => row.name === name) ?? null,
    forget: () => {
      rows = [];
    },
  };
}

/** A watched value as the protocol keeps it. */
export function dataIdOf(watch: Watch): string {
  return watch.kind === 'register' ? `register ${watch.name}` : `memory ${watch.size} 0x${watch.address.toString(16)}`;
}

export function watchOf(dataId: string): Watch | null {
  const register = /^register (.+)$/.exec(dataId);
  if (register !== null) return { kind: 'register', name: register[1] ?? '' };
  const memory = /^memory ([1248]) (0x[0-9a-f]{1,16})$/.exec(dataId);
  const size = Number(memory?.[1]);
  return memory === null || (size !== 1 && size !== 2 && size !== 4 && size !== 8) ? null : { kind: 'memory', size, address: BigInt(memory[2] ?? 0) };
}

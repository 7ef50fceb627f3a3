// What the explorer needs of anything it explores. It knows no word of the domain.

export interface Transition<S> {
  /** For a replay that goes another way: what this choice was. */
  readonly label: string;
  readonly state: S;
  /** Steps that this choice stands for, at least 1: the first, and those behind it that left no choice. */
  readonly weight: number;
}

export interface Model<S> {
  readonly initial: () => readonly S[];
  /** In a fixed order: a choice is an index into it. */
  readonly successors: (state: S) => readonly Transition<S>[];
  /** Number of 32-bit words of a packed state. */
  readonly width: number;
  /** Writes `width` words at `offset`; equal words mean equal states. */
  readonly pack: (state: S, into: Uint32Array, offset: number) => void;
}

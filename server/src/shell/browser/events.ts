// The part of Node's `events` that the debug adapter's base class is built on, for browsers.

export class EventEmitter {
  private readonly listeners = new Map<string, ((...given: readonly unknown[]) => void)[]>();

  on(name: string, listener: (...given: readonly unknown[]) => void): this {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    return this;
  }

  emit(name: string, ...given: readonly unknown[]): boolean {
    const listeners = this.listeners.get(name) ?? [];
    for (const listener of listeners) listener(...given);
    return listeners.length > 0;
  }
}

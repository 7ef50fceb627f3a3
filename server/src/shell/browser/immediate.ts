// `setImmediate` for browsers, whose own timers wait four milliseconds: after what is already in the queue, and no later.

interface Port {
  onmessage: ((event: { readonly data: number }) => void) | null;
  readonly postMessage: (message: number) => void;
}

declare const MessageChannel: new () => { readonly port1: Port; readonly port2: Port };

const channel = new MessageChannel();
const waiting = new Map<number, () => void>();
let last = 0;

channel.port1.onmessage = ({ data }) => {
  const next = waiting.get(data);
  waiting.delete(data);
  next?.();
};

export function setImmediate(next: () => void): void {
  last += 1;
  waiting.set(last, next);
  channel.port2.postMessage(last);
}

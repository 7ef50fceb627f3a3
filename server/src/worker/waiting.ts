// An engine whose workspace comes from the editor: as soon as a job reads what is not there yet, it is asked for, and the
// job begins again once that is given, so that nothing is said of half a program. Knows nothing of what jobs are about.
import type { EngineHost } from './engine.ts';
import type { HostWorkspace } from './host-files.ts';
import type { FromWorker, ToWorker } from './messages.ts';

type JobMessage = ToWorker & { readonly kind: 'job' };
type Engine = (message: ToWorker) => void;

export function createWaiting(make: (host: EngineHost) => Engine, host: EngineHost, workspace: HostWorkspace): Engine {
  const jobs = new Map<number, JobMessage>();
  /** Jobs that the engine does not have: they wait for what was asked for. */
  const held = new Set<number>();
  const engine = make({ ...host, post });
  workspace.onWanted(() => host.later(ask));

  function ask(): void {
    const wanted = workspace.wanted();
    if (wanted === null) return;
    for (const id of jobs.keys()) {
      if (held.has(id)) continue;
      held.add(id);
      engine({ kind: 'cancel', id });
    }
    host.post({ kind: 'wanted', ...wanted });
  }

  function post(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
      case 'wanted':
      case 'progress':
        break;
      case 'partial':
        if (workspace.wanted() !== null) return;
        break;
      case 'cancelled':
        // Of what is held the engine was told to by nobody else.
        if (held.has(message.id)) return;
        jobs.delete(message.id);
        break;
      case 'result':
      case 'answer':
      case 'absent':
      case 'failed':
        if (workspace.wanted() !== null) {
          held.add(message.id);
          return;
        }
        jobs.delete(message.id);
    }
    host.post(message);
  }

  function release(id: number): void {
    held.delete(id);
    jobs.delete(id);
    host.post({ kind: 'cancelled', id });
  }

  return (message) => {
    switch (message.kind) {
      case 'job':
        jobs.set(message.id, message);
        if (workspace.wanted() === null) engine(message);
        else held.add(message.id);
        return;
      case 'cancel':
        if (held.has(message.id)) release(message.id);
        else engine(message);
        return;
      case 'host-files':
        engine(message);
        if (workspace.wanted() !== null) {
          ask();
          return;
        }
        for (const id of held) {
          const job = jobs.get(id);
          held.delete(id);
          if (job !== undefined) engine(job);
        }
        return;
      case 'set':
      case 'edit':
      case 'close':
      case 'changed':
      case 'configuration':
        // As the engine does with those that it has.
        for (const id of held) if (jobs.get(id)?.background === true) release(id);
        engine(message);
        return;
      case 'limit':
        engine(message);
    }
  };
}

// How requests are answered: on the session once it is there, with the error of a handler caught and logged, so that every
// request has an answer.
import type { Abilities } from './abilities.ts';
import type { OpenDocument } from './documents.ts';
import type { Reading } from './reading.ts';
import type { Settings } from './protocol.ts';
import type { RunParts } from './runs.ts';
import type { Session } from './session.ts';
import type { WorkerOwner } from '../worker/owner.ts';

export interface Answering {
  /** Runs a handler on the session; its error is logged and the request answered with `otherwise`. */
  readonly answer: <T>(name: string, otherwise: T, work: (session: Session) => T | Promise<T>) => Promise<T>;
  /** The same on an open document that is analysed. */
  readonly onDocument: <T>(name: string, otherwise: T, uri: string, work: (session: Session, document: OpenDocument) => T | Promise<T>) => Promise<T>;
  readonly partsOf: (session: Session) => RunParts;
  readonly folders: () => readonly string[];
  readonly abilities: () => Abilities;
  readonly settings: () => Settings;
}

interface Answered {
  /** Settles when what arrives now may be answered; null where there is no review. */
  readonly ready: () => Promise<Session | null>;
  readonly owner: () => WorkerOwner | null;
  readonly log: (message: string) => void;
}

export function createAnswering({ ready, owner, log }: Answered, now: Pick<Answering, 'folders' | 'abilities' | 'settings'>): Answering {
  async function answer<T>(name: string, otherwise: T, work: (session: Session) => T | Promise<T>): Promise<T> {
    const session = await ready();
    if (session === null) return otherwise;
    try {
      return await work(session);
    } catch (error) {
      log(`${name}: ${messageOf(error)}`);
      return otherwise;
    }
  }

  return {
    ...now,
    answer,
    onDocument: (name, otherwise, uri, work) => answer(name, otherwise, onOpen(uri, otherwise, work)),
    partsOf: (session) => {
      const current = owner();
      if (current === null) throw new Error('a run was asked for before the session began');
      return { session, owner: current, folders: now.folders() };
    },
  };
}

function onOpen<T>(uri: string, otherwise: T, work: (session: Session, document: OpenDocument) => T | Promise<T>): (session: Session) => T | Promise<T> {
  return (session) => {
    const document = session.document(uri);
    return document === null || document.refusal !== null ? otherwise : work(session, document);
  };
}

/** Times that a request is answered again because its answer looked for files: each round finds the includes of the one before. */
const mostRounds = 40;

/** The same, where an answer that looked for what is not read yet is made again once it is. */
export function answeringWhole(answering: Answering, reading: Pick<Reading, 'isWaiting' | 'settled'>): Answering {
  async function answer<T>(name: string, otherwise: T, work: (session: Session) => T | Promise<T>): Promise<T> {
    for (let round = 0; round < mostRounds; round++) {
      const given = await answering.answer(name, otherwise, work);
      if (!reading.isWaiting()) return given;
      await reading.settled();
    }
    return answering.answer(name, otherwise, work);
  }
  return { ...answering, answer, onDocument: (name, otherwise, uri, work) => answer(name, otherwise, onOpen(uri, otherwise, work)) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

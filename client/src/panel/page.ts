/// <reference lib="dom" />
// Entry of the script that both panels load.
import { drawComparison } from './compare-page.ts';
import { createKeeping } from './keeping.ts';
import type { CompareState, FromPage, ToPage, TraceState } from './messages.ts';
import { tracePage } from './trace-page.ts';

interface EditorApi {
  readonly postMessage: (message: FromPage) => void;
  readonly getState: () => TraceState | CompareState | undefined;
  readonly setState: (state: TraceState | CompareState) => void;
}

declare function acquireVsCodeApi(): EditorApi;

const editor = acquireVsCodeApi();
const root = document.getElementById('root');
const kept = editor.getState();
const post = (message: FromPage): void => editor.postMessage(message);

if (root !== null && document.body.dataset['kind'] === 'trace') {
  const keeping = createKeeping<TraceState>((state) => editor.setState(state), (milliseconds, next) => {
    const timer = window.setTimeout(next, milliseconds);
    return () => window.clearTimeout(timer);
  });
  const page = tracePage(root, { post, keep: keeping.soon }, kept?.kind === 'trace' ? kept : null);
  window.addEventListener('message', (event: MessageEvent<ToPage>) => {
    page.receive(event.data);
    if (event.data.kind === 'show') keeping.now();
  });
  // The page may be gone as soon as something else has the keyboard.
  window.addEventListener('blur', keeping.now);
} else if (root !== null) {
  if (kept?.kind === 'compare') drawComparison(root, kept.result, post);
  window.addEventListener('message', (event: MessageEvent<ToPage>) => {
    if (event.data.kind !== 'compare') return;
    editor.setState({ kind: 'compare', result: event.data.result });
    drawComparison(root, event.data.result, post);
  });
}

post({ kind: 'ready' });

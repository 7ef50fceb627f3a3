/// <reference lib="dom" />
// Entry of the script that both panels load.
import { drawComparison } from './compare-page.ts';
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
  const page = tracePage(root, { post, keep: (state) => editor.setState(state) }, kept?.kind === 'trace' ? kept : null);
  window.addEventListener('message', (event: MessageEvent<ToPage>) => page.receive(event.data));
} else if (root !== null) {
  if (kept?.kind === 'compare') drawComparison(root, kept.result, post);
  window.addEventListener('message', (event: MessageEvent<ToPage>) => {
    if (event.data.kind !== 'compare') return;
    editor.setState({ kind: 'compare', result: event.data.result });
    drawComparison(root, event.data.result, post);
  });
}

post({ kind: 'ready' });

// The page of a webview: a strict content policy, one script of ours, the editor's theme. Loads nothing else.
import { Uri } from 'vscode';
import type { ExtensionContext, Webview, WebviewOptions } from 'vscode';
import { style } from './panel/style.ts';

export function webviewOptions(context: ExtensionContext): WebviewOptions {
  return { enableScripts: true, localResourceRoots: [Uri.joinPath(context.extensionUri, 'dist')] };
}

export function pageHtml(context: ExtensionContext, webview: Webview, kind: 'trace' | 'compare'): string {
  const nonce = [...crypto.getRandomValues(new Uint8Array(18))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const script = webview.asWebviewUri(Uri.joinPath(context.extensionUri, 'dist', 'panel.js'));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Entrycheck</title>
<style nonce="${nonce}">${style}</style>
</head>
<body data-kind="${kind}">
<main id="root"></main>
<script nonce="${nonce}" src="${script.toString()}"></script>
</body>
</html>`;
}

// What a person does and sees in VS Code's page, as verbs: open, type, point, read. Every wait is for something that
// can be seen; none is for time. Knows VS Code's page, never the extension's.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const squiggles = '.monaco-editor .squiggly-error, .monaco-editor .squiggly-warning, .monaco-editor .squiggly-info';
const hovers = '.monaco-hover:visible, .monaco-resizable-hover:visible';

export class Workbench {
  constructor(page, { folder, results, inBrowser = false }) {
    this.page = page;
    this.inBrowser = inBrowser;
    this.folder = folder;
    this.results = results;
    page.setDefaultTimeout(15_000);
  }

  /** Waits for the workbench and trusts the folder. */
  async ready() {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    const trust = this.page.getByRole('button', { name: /^Yes, I trust/ });
    await trust.click({ timeout: 30_000 });
    await trust.waitFor({ state: 'hidden' });
  }

  /** The file's URI as the extension has it: in the browser it is one of the server's. */
  uriOf(name) {
    const { href, pathname } = pathToFileURL(join(this.folder, name));
    return this.inBrowser ? `vscode-remote://${new URL(this.page.url()).host}${pathname}` : href;
  }

  async close() {
    await this.page.context().close();
  }

  /** `name` is relative to the workspace. */
  async openFile(name) {
    await this.page.keyboard.press('Control+P');
    await this.fillQuickInput(name);
    const folders = name.split('/');
    const leaf = folders.pop();
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: leaf });
    await row.filter({ hasText: folders.join('/') }).first().click();
    await this.waitForActiveFile(name);
  }

  /** Puts the cursor at the start of a line, or at a column; both count from one. */
  async gotoLine(line, column = 1) {
    await this.page.keyboard.press('Control+G');
    await this.fillQuickInput(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.waitForCursor(line);
  }

  /** Waits until the status bar shows the cursor on the line. */
  async waitForCursor(line) {
    await this.page.locator('.statusbar-item', { hasText: new RegExp(`^Ln ${line}, Col `) }).waitFor();
  }

  /** Waits until the file, given by the end of its path, is the active editor. */
  async waitForActiveFile(name) {
    const label = `.editor-group-container .tab.active .monaco-icon-label`;
    await this.page.locator(`${label}[aria-label*="/${name}"], ${label}[aria-label="${name}"]`).first().waitFor();
    await this.page.locator('.editor-group-container .monaco-editor .view-line').first().waitFor();
  }

  async typeText(text) {
    await this.page.keyboard.type(text);
  }

  async press(key) {
    await this.page.keyboard.press(key);
  }

  /** Runs a command of the palette by its full title, as `Category: Title`. */
  async runCommand(title) {
    await this.page.keyboard.press('F1');
    await this.fillQuickInput(`>${title}`);
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({
      has: this.page.locator('.label-name', { hasText: new RegExp(`^${escaped(title)}$`, 'i') }),
    });
    await row.first().click();
  }

  /** Picks the first row of the open pick list that contains the text. */
  async pickQuickPick(text) {
    const row = this.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: text });
    await row.first().waitFor();
    // A row's description may open over it: a click where nothing is asked for what lies on top.
    await row.first().click({ force: true, position: { x: 20, y: 8 } });
  }

  /** The rows of the open pick list. */
  async quickPickRows() {
    const rows = this.page.locator('.quick-input-widget:visible .monaco-list-row');
    await rows.first().waitFor();
    return await rows.allInnerTexts();
  }

  /** The first line of a file, as saved, that contains the text; counted from one. */
  lineOf(name, text) {
    const lines = readFileSync(join(this.folder, name), 'utf8').split('\n');
    const at = lines.findIndex((each) => each.includes(text));
    if (at < 0) throw new Error(`no line of ${name} contains: ${text}`);
    return at + 1;
  }

  async lineText(number) {
    const lines = await this.page.evaluate(readEditorLines);
    return lines.find((each) => each.number === number)?.text ?? null;
  }

  /** The lines in view that carry a squiggle. */
  async squiggledLines() {
    return await this.page.evaluate(readSquiggledLines, squiggles);
  }

  /** Waits until the line carries a squiggle. */
  async waitForSquiggle(line, { timeout = 30_000 } = {}) {
    await this.waitUntil(async () => (await this.squiggledLines()).includes(line), `a squiggle on line ${line}`, timeout);
  }

  /** Waits until the line, in view, carries none. */
  async waitForNoSquiggle(line, { timeout = 10_000 } = {}) {
    await this.waitUntil(async () => !(await this.squiggledLines()).includes(line), `no squiggle on line ${line}`, timeout);
  }

  /** The lines in view whose text the editor fades. */
  async fadedLines() {
    return await this.page.evaluate(readFadedLines);
  }

  /** Opens the Problems panel for the active file only; `filter` is its filter box's text. */
  async showProblems(filter) {
    const panel = this.page.locator('.markers-panel');
    if (!(await panel.isVisible())) {
      await this.runCommand('Problems: Focus on Problems View');
      await panel.waitFor();
      await this.page.locator('.viewpane-filter .action-label.codicon-filter, .viewpane-filter .codicon-view-filter').first().click();
      const choice = this.page.getByRole('menuitemcheckbox', { name: 'Show Active File Only' });
      // A menu that has just opened ignores the mouse.
      await this.waitUntil(async () => {
        await choice.click({ timeout: 1_000 }).catch(() => {});
        return !(await choice.isVisible());
      }, 'the menu to close', 10_000);
    }
    await this.page.locator('.viewpane-filter input').fill(filter);
  }

  /** The rows that the Problems panel shows. */
  async problemRows() {
    return await this.page.locator('.markers-panel .monaco-list-row').allInnerTexts();
  }

  /** Waits for a message about the active file in the Problems panel and returns its row's text. */
  async waitForDiagnostic(text, { timeout = 60_000 } = {}) {
    await this.showProblems(text);
    const row = this.page.locator('.markers-panel .monaco-list-row', { hasText: text });
    await row.first().waitFor({ timeout });
    return (await row.first().innerText()).replaceAll('\n', ' ');
  }

  async waitForNoDiagnostic(text, { timeout = 10_000 } = {}) {
    const row = this.page.locator('.markers-panel .monaco-list-row', { hasText: text });
    await row.first().waitFor({ state: 'detached', timeout });
  }

  /** Points the mouse at a word of a line in view and returns what the hover says. */
  async hoverAt(line, word, { timeout = 15_000 } = {}) {
    const at = await this.page.evaluate(findWord, { line, word });
    if (at === null) throw new Error(`line ${line} in view has no ${word}`);
    const hover = this.page.locator(hovers).filter({ hasText: /\S/ });
    const started = Date.now();
    await this.page.mouse.move(at.x - 40, at.y + 200);
    await hover.first().waitFor({ state: 'hidden' });
    for (;;) {
      await this.page.mouse.move(at.x, at.y);
      await this.page.mouse.move(at.x + 1, at.y);
      try {
        await hover.first().waitFor({ timeout: 2_000 });
        break;
      } catch (problem) {
        if (Date.now() - started > timeout) throw problem;
        await this.page.mouse.move(at.x - 40, at.y + 200);
      }
    }
    await this.waitUntil(async () => !/Loading\.\.\./.test(await hover.first().innerText()), 'the hover to be loaded', timeout);
    return (await hover.first().innerText()).replaceAll('\u00a0', ' ');
  }

  async closeHover() {
    await this.page.mouse.move(2, 2);
    await this.page.keyboard.press('Escape');
    await this.page.locator(hovers).first().waitFor({ state: 'hidden' });
  }

  /** Applies the quick fix whose title contains the text, at a word of a line in view; takes a picture of the menu. */
  async quickFix(line, word, title, picture) {
    await this.clickWord(line, word);
    const action = this.page.locator('.action-widget .monaco-list-row.action', { hasText: title });
    const started = Date.now();
    for (;;) {
      await this.page.keyboard.press('Control+.');
      try {
        await action.first().waitFor({ timeout: 3_000 });
        break;
      } catch (problem) {
        if (Date.now() - started > 15_000) throw problem;
        await this.page.keyboard.press('Escape');
      }
    }
    await this.screenshot(picture);
    // The menu ignores clicks until the mouse has moved over it.
    const box = await action.first().boundingBox();
    await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await action.first().click();
    await action.first().waitFor({ state: 'detached' });
  }

  async clickWord(line, word) {
    const at = await this.page.evaluate(findWord, { line, word });
    if (at === null) throw new Error(`line ${line} in view has no ${word}`);
    await this.page.mouse.click(at.x, at.y);
    await this.waitForCursor(line);
  }

  /** The document inside the webview whose body has the text; a webview is two frames deep. */
  async webview(text, { timeout = 60_000 } = {}) {
    let found = null;
    await this.waitUntil(
      async () => {
        for (const frame of this.page.frames()) {
          if (frame === this.page.mainFrame() || frame.parentFrame() === this.page.mainFrame()) continue;
          const body = await frame.locator('body').innerText({ timeout: 1_000 }).catch(() => '');
          if (text instanceof RegExp ? text.test(body) : body.includes(text)) found = frame;
        }
        return found !== null;
      },
      `a webview with ${text}`,
      timeout,
    );
    return found;
  }

  /** All text of the panel below the editor. */
  async panelText() {
    return await this.page.locator('.part.panel').innerText();
  }

  async screenshot(name) {
    mkdirSync(this.results, { recursive: true });
    await this.page.screenshot({ path: join(this.results, `${name}.png`), animations: 'disabled' });
  }

  async waitUntil(condition, what, timeout) {
    const until = Date.now() + timeout;
    while (!(await condition())) {
      if (Date.now() > until) throw new Error(`waited ${timeout} ms in vain for ${what}`);
      await this.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 20)));
    }
  }

  async waitForQuickInput() {
    await this.page.locator('.quick-input-widget:visible input.input').waitFor();
  }

  /** Texts of the rows of the call hierarchy, as far as they are in view. */
  async treeRows() {
    return await this.hierarchyRows().allInnerTexts();
  }

  async waitForTreeRow(text, timeout) {
    await this.hierarchyRows().filter({ hasText: text }).first().waitFor({ timeout });
  }

  /** Opens what lies below a row. */
  async expandTreeRow(text) {
    await this.hierarchyRows().filter({ hasText: text }).first().locator('.monaco-tl-twistie').click();
  }

  /** Goes to the place that a row is about. */
  async openTreeRow(text) {
    await this.hierarchyRows().filter({ hasText: text }).first().dblclick();
  }

  hierarchyRows() {
    return this.page.locator('.part.sidebar .monaco-list-row:visible');
  }

  /** By its icon in the activity bar. */
  async openView(name) {
    await this.page.locator(`.part.activitybar .action-label[aria-label^="${name}"]`).first().click();
  }

  /** What the rows of the Test Explorer say of themselves, states included. */
  async testLabels() {
    return await this.hierarchyRows().evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  }

  async waitForTest(text, timeout) {
    await this.waitUntil(async () => (await this.testLabels()).some((label) => text.test(label)), `a test ${text}`, timeout);
  }

  /** A button in a row of the Test Explorer. */
  async testAction(text, label) {
    const row = this.hierarchyRows().filter({ hasText: text }).first();
    await row.hover();
    await row.locator(`.action-label[aria-label^="${label}"]`).click();
  }

  /** A link in the open hover, by its text. */
  async clickHoverLink(text) {
    await this.page.locator(hovers).locator('a', { hasText: text }).first().click();
  }

  /** An open tab whose label has the text. */
  async waitForTab(text) {
    await this.page.locator('.editor-group-container .tab', { hasText: text }).first().waitFor();
  }

  async fillQuickInput(text) {
    const input = this.page.locator('.quick-input-widget:visible input.input');
    await input.waitFor();
    await input.fill(text);
  }
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

// The functions below run in the page.

function readEditorLines() {
  const editor = document.querySelector('.editor-group-container.active .monaco-editor') ?? document.querySelector('.monaco-editor');
  const numbers = new Map();
  for (const each of editor.querySelectorAll('.line-numbers')) numbers.set(Math.round(each.getBoundingClientRect().top), Number(each.textContent));
  const lines = [];
  for (const each of editor.querySelectorAll('.view-lines .view-line')) {
    const number = numbers.get(Math.round(each.getBoundingClientRect().top));
    if (number) lines.push({ number, text: each.textContent.replaceAll('\u00a0', ' ') });
  }
  return lines;
}

function readSquiggledLines(selector) {
  const numbers = new Map();
  for (const each of document.querySelectorAll('.monaco-editor .line-numbers')) {
    numbers.set(Math.round(each.getBoundingClientRect().top), Number(each.textContent));
  }
  const lines = new Set();
  for (const each of document.querySelectorAll(selector)) {
    const number = numbers.get(Math.round(each.getBoundingClientRect().top));
    if (number) lines.add(number);
  }
  return [...lines].sort((a, b) => a - b);
}

function readFadedLines() {
  const editor = document.querySelector('.editor-group-container.active .monaco-editor');
  const numbers = new Map();
  for (const each of editor.querySelectorAll('.line-numbers')) numbers.set(Math.round(each.getBoundingClientRect().top), Number(each.textContent));
  const lines = new Set();
  for (const row of editor.querySelectorAll('.view-lines .view-line')) {
    if (row.querySelector('.squiggly-inline-unnecessary') !== null) lines.add(numbers.get(Math.round(row.getBoundingClientRect().top)));
  }
  return [...lines];
}

function findWord({ line, word }) {
  const editor = document.querySelector('.editor-group-container.active .monaco-editor') ?? document.querySelector('.monaco-editor');
  for (const number of editor.querySelectorAll('.line-numbers')) {
    if (Number(number.textContent) !== line) continue;
    const top = Math.round(number.getBoundingClientRect().top);
    for (const row of editor.querySelectorAll('.view-lines .view-line')) {
      if (Math.round(row.getBoundingClientRect().top) !== top) continue;
      const start = row.textContent.replaceAll('\u00a0', ' ').indexOf(word);
      if (start < 0) return null;
      const middle = start + Math.floor(word.length / 2);
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      let passed = 0;
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (middle < passed + node.length) {
          const range = document.createRange();
          range.setStart(node, middle - passed);
          range.setEnd(node, middle - passed + 1);
          const box = range.getBoundingClientRect();
          return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
        }
        passed += node.length;
      }
    }
  }
  return null;
}

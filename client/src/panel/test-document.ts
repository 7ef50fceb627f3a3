// As much of a browser's document as the pages use, for tests without a browser: elements that can be counted, and a view
// that sees the blocks that a test says. Lays nothing out.

type Listener = (event: unknown) => void;

export class TestElement {
  readonly name: string;
  readonly attributes = new Map<string, string>();
  readonly style = { height: '', setProperty: (): void => undefined };
  value = '';
  offsetHeight = 1;
  parent: TestElement | null = null;
  childNodes: (TestElement | string)[] = [];
  readonly listeners = new Map<string, Listener[]>();
  readonly document: TestDocument;

  constructor(document: TestDocument, name: string) {
    this.document = document;
    this.name = name;
  }

  get children(): readonly TestElement[] {
    return this.childNodes.filter((child) => child instanceof TestElement);
  }

  get firstChild(): TestElement | string | null {
    return this.childNodes[0] ?? null;
  }

  get textContent(): string {
    return this.childNodes.map((child) => (typeof child === 'string' ? child : child.textContent)).join('');
  }

  set textContent(text: string) {
    this.replaceChildren(text);
  }

  append(...children: readonly (TestElement | string)[]): void {
    for (const child of children) if (typeof child !== 'string') child.parent = this;
    this.childNodes.push(...children);
  }

  replaceChildren(...children: readonly (TestElement | string)[]): void {
    for (const child of this.children) child.parent = null;
    this.childNodes = [];
    this.append(...children);
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  addEventListener(event: string, listener: Listener): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  /** What a person does to the element. */
  happens(event: string, details: object = {}): void {
    for (const listener of this.listeners.get(event) ?? []) listener({ preventDefault: () => undefined, ...details });
  }

  focus(): void {
    this.document.focused = this;
  }

  scrollIntoView(): void {
    this.document.scrolledTo = this;
  }

  /** Itself and all elements below it. */
  all(): readonly TestElement[] {
    return [this, ...this.children.flatMap((child) => child.all())];
  }

  withClass(name: string): readonly TestElement[] {
    return this.all().filter((one) => one.attributes.get('class')?.split(' ').includes(name));
  }

  named(name: string): TestElement {
    const found = this.all().find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${name} is in the document`);
    return found;
  }
}

export class TestDocument {
  /** Elements that were made so far. */
  made = 0;
  focused: TestElement | null = null;
  scrolledTo: TestElement | null = null;
  readonly observed = new Set<TestElement>();
  private tell: (entries: readonly { readonly target: TestElement; readonly isIntersecting: boolean }[]) => void = () => undefined;

  createElement(name: string): TestElement {
    this.made += 1;
    return new TestElement(this, name);
  }

  /** Those of the observed elements are near the view for which it is said so; the others are not. */
  see(isNear: (at: number) => boolean): void {
    this.tell([...this.observed].map((target, at) => ({ target, isIntersecting: isNear(at) })));
  }

  /** Puts itself in the place of the browser's globals; the result takes it away again. */
  install(): () => void {
    const names = ['document', 'IntersectionObserver'] as const;
    const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    const { observed } = this;
    const seenBy = (tell: TestDocument['tell']): void => {
      this.tell = tell;
    };
    const put = (name: string, value: unknown): void => void Object.defineProperty(globalThis, name, { value, configurable: true });
    put('document', this);
    put('IntersectionObserver', class {
      constructor(tell: TestDocument['tell']) {
        seenBy(tell);
      }

      observe(element: TestElement): void {
        observed.add(element);
      }

      disconnect(): void {
        observed.clear();
      }
    });
    return () => names.forEach((name, at) => {
      const descriptor = before[at];
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    });
  }
}

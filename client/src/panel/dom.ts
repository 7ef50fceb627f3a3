/// <reference lib="dom" />
// Elements for the pages: text is always text, never markup.

export type Child = Node | string | null;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | boolean | null>>,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, '');
    else if (typeof value === 'string') made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

export function on<T extends HTMLElement, K extends keyof HTMLElementEventMap>(target: T, event: K, work: (event: HTMLElementEventMap[K]) => void): T {
  target.addEventListener(event, work);
  return target;
}

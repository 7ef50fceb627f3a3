// How messages show a word of the source: in backticks, cut where it is longer than a message should be.

const longest = 60;

export function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return `\`${line.length > longest ? `${line.slice(0, longest)}…` : line}\``;
}

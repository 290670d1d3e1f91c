/** Cuts a list where its texts grow too large together: parts of at most so many characters, or of one text. */
export function* splitBySize(texts: readonly string[], maximum: number): Generator<string[]> {
  let part: string[] = [];
  let size = 0;
  for (const text of texts) {
    if (part.length > 0 && size + text.length > maximum) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(text);
    size += text.length;
  }
  if (part.length > 0) yield part;
}

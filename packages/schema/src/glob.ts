/*
 * Patterns of file names, as Python's fnmatch knows them, case kept: `*` is any run of characters, `?` any one, `[…]` a set
 * of them, all else is itself. They come from users, so a pattern is matched part by part between its stars and never as
 * one regular expression, which a few stars are enough to bring to a halt.
 */

/** What stands between two stars, as a regular expression without repetitions. */
function compilePart(part: string, flags: string): RegExp {
  const source = part.replaceAll(/\?|\[(!?)(\]?[^\]]*)\]|[\\^$.|+()[\]{}*]/g, (token: string, negated: string | undefined, set: string | undefined) => {
    if (token === '?') return '.';
    if (set === undefined) return `\\${token}`;
    // A range that runs backwards holds nothing.
    const characters = set.replaceAll(/(.)-(.)/gsu, (range: string, from: string, to: string) => (from > to ? '' : range));
    return `[${negated ? '^' : ''}${characters.replaceAll(/[\\\]^[]/g, '\\$&')}]`;
  });
  return new RegExp(flags.includes('g') ? source : `^(?:${source})`, `su${flags}`);
}

const SPECIAL = /[*?[]/;

/** The parts of a pattern between its stars; a star within a set of characters is one of them. */
function splitAtStars(pattern: string): string[] {
  const parts = [''];
  for (const [token] of pattern.matchAll(/\*+|\[!?\]?[^\]]*\]|[^*[]+|\[/g)) {
    if (token.startsWith('*')) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** Makes the question whether a text matches a pattern; it takes time in proportion to their lengths at most. */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (!SPECIAL.test(pattern)) return (text) => text === pattern;
  const parts = splitAtStars(pattern);
  const [first = ''] = parts;
  const head = compilePart(first, '');
  if (parts.length === 1) return (text) => head.exec(text)?.[0].length === text.length;
  const middle = parts.slice(1, -1).map((part) => compilePart(part, 'g'));
  const tail = new RegExp(`(?:${compilePart(parts.at(-1) ?? '', 'g').source})$`, 'su');
  return (text) => {
    let position = head.exec(text)?.[0].length;
    if (position === undefined) return false;
    for (const part of middle) {
      part.lastIndex = position;
      if (part.exec(text) === null) return false;
      position = part.lastIndex;
    }
    return tail.test(text.slice(position));
  };
}

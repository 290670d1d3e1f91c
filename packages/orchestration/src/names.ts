import { adjectives, animals, uniqueNamesGenerator } from 'unique-names-generator';

/** A name for a run that nobody has named: `strict-rottweiler`. */
export function randomRunName(): string {
  return uniqueNamesGenerator({ dictionaries: [adjectives, animals], separator: '-' });
}

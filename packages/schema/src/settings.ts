/** Filled by the settings schema; see settings.md in the README. */
export interface Settings {}

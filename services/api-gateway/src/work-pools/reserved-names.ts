/** Names that begin like this are kept for Prefect's own pools. */
export const isReservedName = (name: string): boolean => name.toLowerCase().startsWith('prefect');

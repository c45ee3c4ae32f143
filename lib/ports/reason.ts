/**
 * What an error says, for people. Node's error for a name with several addresses, none of which answers, has no message of
 * its own: it says what became of each.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join('; ');
  const { code } = error as { readonly code?: unknown };
  if (error.cause !== undefined) return reasonOf(error.cause);
  return typeof code === 'string' ? code : error.name;
}

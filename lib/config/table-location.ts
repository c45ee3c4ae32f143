/** Where jobs and epochs are: a DynamoDB table, or a file on this machine (`file:///abs/path`). */
export type TableLocation = { readonly kind: 'dynamodb'; readonly table: string } | { readonly kind: 'file'; readonly file: string };

export const TABLE_LOCATION_RULE = 'a DynamoDB table name (3 to 255 letters, digits, . _ -), or file:///absolute/file for SQLite';

/** Undefined when `text` does not keep TABLE_LOCATION_RULE. */
export function parseTableLocation(text: string): TableLocation | undefined {
  if (text.startsWith('file://')) return parseFile(text.slice('file://'.length));
  return /^[A-Za-z0-9._-]{3,255}$/.test(text) ? { kind: 'dynamodb', table: text } : undefined;
}

/** Not `fileURLToPath`: as in ONCEFLOW_BLOBS, a space or a % in the path means itself. */
function parseFile(path: string): TableLocation | undefined {
  const segments = path.split('/').filter((segment) => segment !== '');
  const isPlain = path.startsWith('/') && !path.endsWith('/') && !path.includes('\0');
  if (!isPlain || segments.length === 0 || segments.includes('..') || segments.includes('.')) return undefined;
  return { kind: 'file', file: `/${segments.join('/')}` };
}

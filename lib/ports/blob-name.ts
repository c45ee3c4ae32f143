const SEGMENT = /^[A-Za-z0-9._-]+$/;

/**
 * Throws unless `name` is a blob's name: segments of letters, digits, `.`, `_` and `-` between slashes, none of them
 * `.` or `..`. Every store checks it, so that no name can leave a store's folder or prefix.
 */
export function checkBlobName(name: string): void {
  if (!isBlobName(name))
    throw new RangeError(`${JSON.stringify(name)} is no blob name: letters, digits, . _ - in segments between slashes`);
}

export function isBlobName(name: string): boolean {
  return name.split('/').every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
}

/** Throws unless a blob's name can begin with `prefix`; every name begins with the empty one. */
export function checkBlobPrefix(prefix: string): void {
  // The last segment may be cut off anywhere, also before its first character.
  checkBlobName(`${prefix}x`);
}

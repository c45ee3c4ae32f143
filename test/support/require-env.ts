/** The value that the test setup provides. Throws when the suite runs outside of its project. */
export function requireEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: run this suite with "npm test" (vitest's integration project sets it)`);
  return value;
}

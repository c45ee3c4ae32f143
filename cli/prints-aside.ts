/** What a job prints while it works here goes to standard error: standard output is for what a command answers. */
export async function printsAside<T>(work: () => Promise<T>): Promise<T> {
  const { log, info, debug } = console;
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info, debug });
  }
}

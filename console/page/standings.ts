/** A sign besides the colour, and the word. */
export const STANDINGS = {
  running: { sign: '●', word: 'running', is: 'good' },
  stopping: { sign: '◐', word: 'stopping', is: 'warn' },
  stopped: { sign: '■', word: 'stopped', is: 'warn' },
  failed: { sign: '✕', word: 'failed', is: 'bad' },
  dead: { sign: '▲', word: 'nobody runs it', is: 'bad' },
} as const;

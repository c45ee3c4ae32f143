import { inject } from 'vitest';

// Before a test file is loaded: it may read the addresses at its top level, as a function does.
Object.assign(process.env, inject('stackEnvironment'));

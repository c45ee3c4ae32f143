export const MINUTE = 60_000;
/** The longest run of one function on Lambda, which an epoch's stage has to fit in. */
export const LONGEST_INVOCATION_MS = 15 * MINUTE;
/** Kafka carries timeouts as 32-bit numbers. */
export const MAX_INT32 = 2_147_483_647;
export const MAX_KEY_GROUPS = 32_768;

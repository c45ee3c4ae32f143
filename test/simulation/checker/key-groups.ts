/*
 * Where keys belong, written from its description: by the murmur2 hash of their bytes, as Kafka's Java client chooses
 * partitions.
 */

/** Never negative. */
export function hashOf(key: Buffer): number {
  const multiply = (number: number) => Math.imul(number, 0x5bd1e995);
  const whole = key.length - (key.length % 4);
  let hash = 0x9747b28c ^ key.length;
  for (let at = 0; at < whole; at += 4) {
    const mixed = multiply(key.readInt32LE(at));
    hash = multiply(hash) ^ multiply(mixed ^ (mixed >>> 24));
  }
  const rest = [...key.subarray(whole)];
  if (rest.length > 0) hash = multiply(rest.reduce((mixed, byte, index) => mixed ^ (byte << (8 * index)), hash));
  hash = multiply(hash ^ (hash >>> 13));
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}

export function keyGroupOf(key: Buffer, maxParallelism: number): number {
  return hashOf(key) % maxParallelism;
}
